"""The catalogue and `validate`."""

import pytest
from conftest import VERSION, ask, call, echo, on_schedule, within


async def test_the_services_are_listed_with_their_lanes(client):
    listed = await within(client.get_services())

    assert listed['version'] == 1
    services = listed['services']
    assert {'webhook', 'response', 'filter', 'http_request'} <= set(services)
    for name, definition in services.items():
        assert definition['protocol'] == f'{name}://' and definition['prefix'] == name
        assert definition['title'] and definition['description'] and isinstance(definition['capabilities'], int)
        assert isinstance(definition['classType'], list) and isinstance(definition['lanes'], dict)
    assert 'text' in services['webhook']['lanes']['_source']
    assert services['response']['lanes']['text'] == []


async def test_a_service_has_the_schema_of_its_config(client):
    definition = await within(client.get_service('template'))

    assert definition['title']
    assert 'template' in definition['Pipe']['schema']['properties']


@pytest.mark.parametrize('name', ['nothing', 'Webhook', '../x', 'ü'])
async def test_an_unknown_service_is_an_error_that_names_it(client, name):
    with pytest.raises(RuntimeError) as refused:
        await within(client.get_service(name))

    assert f"Service '{name}' not found" in str(refused.value)


async def test_a_service_has_a_name(client):
    with pytest.raises(ValueError):
        await within(client.get_service(''))
    assert (await ask(client, 'rrext_services', {'service': 7}))['message'] == 'service must be a string'


@pytest.mark.parametrize('make', [echo, on_schedule])
async def test_a_good_pipeline_has_no_errors(client, make):
    result = await within(client.validate(make('p')))

    assert not result.get('errors') and not result.get('warnings')
    assert result['pipeline']['components'] == make('p')['components']
    assert result['pipeline']['chain'] == [component['id'] for component in make('p')['components']]
    assert result['pipeline']['version'] == 1


async def test_a_pipeline_need_not_belong_to_a_project(client):
    pipeline = echo('p')
    del pipeline['project_id']

    result = await within(client.validate(pipeline))

    assert not result.get('errors') and 'project_id' not in result['pipeline']


async def test_a_pipeline_may_be_wrapped_as_in_files(client):
    result = await within(client.validate({'pipeline': echo('p')}))

    assert not result.get('errors') and result['pipeline']['project_id'] == 'p'


async def test_every_error_names_its_component_and_what_to_do(client):
    pipeline = echo('p')
    pipeline['components'][0]['provider'] = 'webhok'
    pipeline['components'][1]['input'][0]['from'] = 'missing'

    result = await within(client.validate(pipeline))

    errors = {error['id']: error['message'] for error in result['errors']}
    assert 'did you mean `webhook`' in errors['webhook_1'] and 'missing' in errors['response_1']
    assert all(isinstance(error['ccode'], int) for error in result['errors'])
    assert result['pipeline']['chain'] == []


def two_sources():
    pipeline = echo('p')
    pipeline['components'] += [
        {'id': 'chat_1', 'provider': 'chat', 'config': {'mode': 'Source'}},
        {
            'id': 'response_2',
            'provider': 'response',
            'config': {},
            'input': [{'lane': 'questions', 'from': 'chat_1'}],
        },
    ]
    return pipeline


async def test_the_source_of_a_validation_goes_before_the_pipelines_own(client):
    pipeline = two_sources()

    own = await within(client.validate(pipeline))
    other = await within(client.validate(pipeline, source='chat_1'))
    unknown = await within(client.validate(pipeline, source='missing'))

    assert own['pipeline']['chain'] == ['webhook_1', 'response_1']
    assert other['pipeline']['chain'] == ['chat_1', 'response_2']
    assert other['pipeline']['source'] == 'webhook_1', 'what was sent comes back'
    assert unknown['errors']


async def test_what_is_probably_not_meant_is_a_warning(client):
    pipeline = echo('p')
    pipeline['components'][1]['input'] *= 2

    result = await within(client.validate(pipeline))

    assert not result.get('errors')
    assert [warning['id'] for warning in result['warnings']] == ['response_1']


async def test_of_two_sources_one_has_to_be_named(client):
    pipeline = two_sources()
    del pipeline['source']

    assert (await within(client.validate(pipeline)))['errors']


@pytest.mark.parametrize('pipeline', [{}, {'components': []}, {'components': 'x'}, {'components': [1, None, 'x']}])
async def test_what_is_no_pipeline_has_errors(client, pipeline):
    result = await within(client.validate(pipeline))

    assert result['errors'] and 'pipeline' in result


@pytest.mark.parametrize('pipeline, message', [(None, 'pipeline is required'), ('x', 'pipeline must be an object')])
async def test_what_is_no_object_is_an_error(client, pipeline, message):
    with pytest.raises(RuntimeError) as refused:
        await within(client.validate(pipeline))

    assert str(refused.value) == f'Pipeline validation failed: {message}'


async def test_validating_changes_nothing(client, project):
    await within(client.validate(echo(project)))

    assert (await ask(client, 'rrext_deploy_status', {'projectId': project}))['success'] is False


async def test_a_config_is_shown_as_its_component_gets_it(client):
    if VERSION >= '1.5':
        resolve = client.resolve_config
    else:

        async def resolve(provider, config):
            return await call(client, 'rrext_resolve_config', provider=provider, config=config)

    resolved = await within(resolve('http_request', {'url': 'https://example.com', 'mine': 1}))

    assert resolved['provider'] == 'http_request' and resolved['profile'] is None
    assert resolved['resolved']['url'] == 'https://example.com' and resolved['resolved']['method']
    assert resolved['dropped'] == ['mine']
    with pytest.raises(RuntimeError, match="Service 'nothing' not found"):
        await within(resolve('nothing', {}))
    with pytest.raises(RuntimeError, match='config must be an object'):
        await within(resolve('response', []))
