"""`deploy.add`."""

import time

import pytest
from conftest import ask, echo, on_schedule, speaks_deploy, within

pytestmark = speaks_deploy
FIELDS = {'pipeline', 'schedule', 'state', 'userId', 'createdAt', 'updatedAt'}


async def test_the_record_has_six_fields(client, project):
    before = time.time()

    record = await within(client.deploy.add(pipeline=echo(project)))

    assert set(record) == FIELDS
    assert record['pipeline'] == echo(project)
    assert record['schedule'] == 'manual' and record['state'] == 'active' and record['userId'] == 'dev'
    assert isinstance(record['createdAt'], float) and record['createdAt'] == record['updatedAt']
    assert before - 1 < record['createdAt'] < time.time() + 1


@pytest.mark.parametrize(
    'schedule', ['manual', '@hourly', '@daily', '@midnight', '@weekly', '@monthly', '@yearly', '@annually']
)
async def test_the_presets_are_taken(client, project, schedule):
    record = await within(client.deploy.add(pipeline=on_schedule(project), schedule=schedule))

    assert record['schedule'] == schedule


@pytest.mark.parametrize(
    'schedule', ['*/5 * * * *', '0 0 * * *', '0 9-17 * * 1-5', '0 7 * * mon-fri', '15,45 */2 1 1,7 0', '59 23 31 12 7']
)
async def test_five_fields_are_taken(client, project, schedule):
    record = await within(client.deploy.add(pipeline=on_schedule(project), schedule=schedule))

    assert record['schedule'] == schedule


@pytest.mark.parametrize(
    'schedule',
    [
        '',
        'never',
        '@reboot',
        '@every 5m',
        '@quarterly',
        '* * * *',
        '* * * * * *',
        '* * * * * * *',
        '60 * * * *',
        '* 24 * * *',
        '* * 32 * *',
        '* * * 13 *',
        '* * * * 8',
        '*/0 * * * *',
        '-1 * * * *',
        '1.5 * * * *',
        'H * * * *',
        'R * * * *',
        '? * * * *',
        '0 0 L-3 * *',
        '0 0 30 2 *',
        'x' * 300,
    ],
)
async def test_a_wrong_schedule_is_refused_and_nothing_is_kept(client, project, schedule):
    with pytest.raises(RuntimeError) as refused:
        await within(client.deploy.add(pipeline=on_schedule(project), schedule=schedule))

    assert 'hint:' in str(refused.value)
    with pytest.raises(RuntimeError):
        await within(client.deploy.status(project))
    await within(client.deploy.add(pipeline=on_schedule(project), schedule='@daily'))


@pytest.mark.parametrize('schedule', [7, [], {}, True])
async def test_a_schedule_that_is_no_text_is_refused(client, project, schedule):
    answer = await ask(client, 'rrext_deploy_add', {'pipeline': echo(project), 'schedule': schedule})

    assert answer['message'] == 'schedule must be a string'


async def test_a_second_add_is_refused_and_changes_nothing(client, project):
    first = await within(client.deploy.add(pipeline=echo(project)))

    with pytest.raises(RuntimeError) as refused:
        await within(client.deploy.add(pipeline=echo(project, name='another'), schedule='@daily'))

    assert type(refused.value) is RuntimeError
    assert str(refused.value) == f'Deployment already exists: {project}'
    assert await within(client.deploy.status(project)) == first


async def test_a_removed_project_may_be_added_again(client, project):
    await within(client.deploy.add(pipeline=echo(project), schedule='@daily'))
    await within(client.deploy.remove(project))

    record = await within(client.deploy.add(pipeline=echo(project, name='again')))

    assert record['pipeline']['name'] == 'again' and record['schedule'] == 'manual'


@pytest.mark.parametrize('arguments', [{}, {'pipeline': None}, {'pipeline': {}}, {'pipeline': []}, {'pipeline': ''}])
async def test_a_pipeline_is_required(client, arguments):
    answer = await ask(client, 'rrext_deploy_add', arguments)

    assert answer['success'] is False and answer['message'] == 'pipeline is required'


@pytest.mark.parametrize('pipeline', ['text', [1], 7, True])
async def test_a_pipeline_is_an_object(client, pipeline):
    answer = await ask(client, 'rrext_deploy_add', {'pipeline': pipeline})

    assert answer['message'] == 'pipeline must be an object'


@pytest.mark.parametrize('missing', ['absent', None, ''])
async def test_a_project_id_is_required(client, missing):
    pipeline = echo(missing)
    if missing == 'absent':
        del pipeline['project_id']
    with pytest.raises(RuntimeError) as refused:
        await within(client.deploy.add(pipeline=pipeline))

    assert str(refused.value) == 'pipeline.project_id is required'


@pytest.mark.parametrize('wrong', [7, True, ['p'], {'p': 1}, 'x' * 257, 'a\nb', 'a\x00b'])
async def test_a_project_id_is_a_short_text(client, wrong):
    with pytest.raises(RuntimeError, match='project'):
        await within(client.deploy.add(pipeline=echo(wrong)))


async def test_the_schedule_is_looked_at_before_the_project(client, project):
    await within(client.deploy.add(pipeline=echo(project)))

    with pytest.raises(RuntimeError, match='fields'):
        await within(client.deploy.add(pipeline=echo(project), schedule='* *'))


async def test_all_problems_are_reported_at_once_with_their_components(client, project):
    pipeline = {
        'project_id': project,
        'components': [
            {'id': 'in', 'provider': 'webhok', 'config': {}},
            {'id': 'pick', 'provider': 'filter', 'config': {}, 'input': [{'lane': 'text', 'from': 'in'}]},
            {'id': 'out', 'provider': 'response', 'config': {}, 'input': [{'lane': 'text', 'from': 'missing'}]},
        ],
    }
    with pytest.raises(RuntimeError) as refused:
        await within(client.deploy.add(pipeline=pipeline))

    lines = str(refused.value).splitlines()
    assert lines[0].startswith('the pipeline has ') and len(lines) >= 4
    for component, hint in [('in', 'did you mean `webhook`'), ('pick', 'where'), ('out', 'missing')]:
        assert any(f'`{component}`' in line and hint in line for line in lines), lines
    with pytest.raises(RuntimeError):
        await within(client.deploy.status(project))


CANNOT_RUN = {
    'no components': {'components': []},
    'components of another type': {'components': 'x'},
    'a component of another type': {'components': [7]},
    'two components of one name': {
        'components': [{'id': 'a', 'provider': 'webhook', 'config': {}}, {'id': 'a', 'provider': 'webhook', 'config': {}}]
    },
    'an unknown source': {'source': 'missing'},
    'a cycle': {
        'components': [
            {'id': 's', 'provider': 'webhook', 'config': {}},
            {
                'id': 'a',
                'provider': 'template',
                'config': {'template': 'x'},
                'input': [{'lane': 'text', 'from': 'b'}, {'lane': 'text', 'from': 's'}],
            },
            {'id': 'b', 'provider': 'template', 'config': {'template': 'x'}, 'input': [{'lane': 'text', 'from': 'a'}]},
        ],
        'source': 's',
    },
}


@pytest.mark.parametrize('case', CANNOT_RUN)
async def test_a_pipeline_that_cannot_run_is_refused(client, project, case):
    with pytest.raises(RuntimeError):
        await within(client.deploy.add(pipeline={**echo(project), **CANNOT_RUN[case]}))

    with pytest.raises(RuntimeError):
        await within(client.deploy.status(project))


VERBATIM = {
    'unknown fields': {'viewport': {'x': 1.5, 'y': -2, 'zoom': 1}, 'docRevision': 7, 'isLocked': False, 'mine': None},
    'large integers': {'mine': [2**53 + 1, 2**64, 10**40, -(10**30)]},
    'floats': {'mine': [1.0, 0.1, 1e300, -0.0, 5e-324]},
    'unicode': {'name': 'Größe 日本 🚀', 'description': '\u2028 \u0000 \x7f \\ " /'},
    'an unusual order': {'zz': 1, 'aa': 2, 'mm': {'z': 1, 'a': 2}},
    'nesting': {'mine': {'a': [[[[{'b': [{}]}]]]]}},
    'placeholders': {'name': '${ROCKETRIDE_X} ${Y} $$ {{ }}'},
    'line breaks': {'description': 'one\ntwo\r\nthree'},
}


@pytest.mark.parametrize('case', VERBATIM)
async def test_a_pipeline_comes_back_as_it_was_sent(client, project, case):
    pipeline = echo(project, **VERBATIM[case])

    added = await within(client.deploy.add(pipeline=pipeline))
    read = await within(client.deploy.status(project))
    listed = {record['pipeline']['project_id']: record for record in await within(client.deploy.list())}

    for record in [added, read, listed[project]]:
        assert record['pipeline'] == pipeline
        assert repr(record['pipeline']) == repr(pipeline), 'the same types in the same order'


async def test_a_project_id_is_opaque(client):
    for project in ['../../etc/passwd', '...', 'a/b', 'a b', 'A', 'a', 'проект', '%2e', "'; --", 'dev#x', '*', '🚀']:
        await within(client.deploy.add(pipeline=echo(project)))

    found = {record['pipeline']['project_id'] for record in await within(client.deploy.list())}

    assert {'../../etc/passwd', 'A', 'a', '%2e', '🚀'} <= found
    for project in ['../../etc/passwd', '...', 'a/b', 'a b', 'A', 'a', 'проект', '%2e', "'; --", 'dev#x', '*', '🚀']:
        assert (await within(client.deploy.status(project)))['pipeline']['project_id'] == project
        await within(client.deploy.remove(project))


async def test_a_project_id_that_no_url_can_name_is_refused(client):
    for project in ['.', '..']:
        with pytest.raises(RuntimeError, match='a step of a path'):
            await within(client.deploy.add(pipeline=echo(project)))


async def test_a_large_pipeline_is_taken(client, project):
    # The client sends six bytes for an `ä`.
    pipeline = echo(project, noise='ä' * 250_000 + 'x' * 1_000_000)

    await within(client.deploy.add(pipeline=pipeline))

    assert (await within(client.deploy.status(project)))['pipeline'] == pipeline
    await within(client.deploy.remove(project))


async def test_a_pipeline_that_is_too_large_is_refused_with_the_limit(client, project):
    with pytest.raises(RuntimeError, match='4 MiB'):
        await within(client.deploy.add(pipeline=echo(project, noise='x' * 5_000_000)))

    await within(client.ping())


async def test_what_was_added_here_is_there_over_http(client, plane, project):
    await within(client.deploy.add(pipeline=on_schedule(project), schedule='*/5 * * * *'))

    status, answer = plane.http('GET', f'/v1/deployments/{project}')

    assert status == 200
    assert answer['version'] == 1 and answer['schedule'] == '*/5 * * * *' and answer['timezone'] == 'UTC'
    assert answer['pipeline'] == on_schedule(project)
