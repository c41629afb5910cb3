"""`deploy.update`, `status`, `list` and `remove`."""

import asyncio

import pytest
from conftest import ask, echo, on_schedule, speaks_deploy, within

pytestmark = speaks_deploy


async def test_an_update_of_the_schedule_leaves_the_pipeline(client, project):
    before = await within(client.deploy.add(pipeline=on_schedule(project)))
    await asyncio.sleep(0.01)

    assert await within(client.deploy.update(project, schedule='@daily')) is None

    after = await within(client.deploy.status(project))
    assert after['updatedAt'] > before['updatedAt']
    assert after == {**before, 'schedule': '@daily', 'updatedAt': after['updatedAt']}


async def test_an_update_of_the_pipeline_leaves_the_schedule(client, project):
    before = await within(client.deploy.add(pipeline=on_schedule(project), schedule='@daily'))
    pipeline = on_schedule(project, name='new', zeta=1.0)

    await within(client.deploy.update(project, pipeline=pipeline))

    after = await within(client.deploy.status(project))
    assert repr(after['pipeline']) == repr(pipeline)
    assert (after['schedule'], after['createdAt'], after['state']) == ('@daily', before['createdAt'], 'active')


async def test_an_update_replaces_the_whole_pipeline(client, project):
    await within(client.deploy.add(pipeline=echo(project, mine=1)))

    await within(client.deploy.update(project, pipeline=on_schedule(project)))

    assert (await within(client.deploy.status(project)))['pipeline'] == on_schedule(project)


async def test_an_update_with_nothing_moves_only_the_time(client, project):
    before = await within(client.deploy.add(pipeline=echo(project)))
    await asyncio.sleep(0.01)

    await within(client.deploy.update(project))

    after = await within(client.deploy.status(project))
    assert after['updatedAt'] > before['updatedAt'] and after['createdAt'] == before['createdAt']


@pytest.mark.parametrize('called', ['another', None, '', 7, 'absent'])
async def test_an_update_keeps_the_project_that_it_addresses(client, project, called):
    await within(client.deploy.add(pipeline=echo(project)))
    pipeline = {'first': 12345678901234567890123, **echo(called), 'last': 1.0}
    if called == 'absent':
        del pipeline['project_id']

    await within(client.deploy.update(project, pipeline=pipeline))

    after = (await within(client.deploy.status(project)))['pipeline']
    assert after['project_id'] == project
    rest = {name: value for name, value in after.items() if name != 'project_id'}
    assert repr(rest) == repr({name: value for name, value in pipeline.items() if name != 'project_id'})
    with pytest.raises(RuntimeError):
        await within(client.deploy.status('another'))


@pytest.mark.parametrize('schedule', ['* *', '0 0 30 2 *', '* * * * * *', '@reboot', ''])
async def test_a_wrong_schedule_leaves_everything_unchanged(client, project, schedule):
    before = await within(client.deploy.add(pipeline=echo(project), schedule='@daily'))

    with pytest.raises(RuntimeError, match='hint:'):
        await within(client.deploy.update(project, schedule=schedule, pipeline=echo(project, name='new')))

    assert await within(client.deploy.status(project)) == before


async def test_a_wrong_pipeline_leaves_everything_unchanged(client, project):
    before = await within(client.deploy.add(pipeline=echo(project), schedule='@daily'))
    pipeline = echo(project)
    pipeline['components'][0]['provider'] = 'webhok'

    with pytest.raises(RuntimeError, match='did you mean `webhook`'):
        await within(client.deploy.update(project, pipeline=pipeline, schedule='@hourly'))

    assert await within(client.deploy.status(project)) == before


@pytest.mark.parametrize('pipeline', [None, 'x', [], 7])
async def test_the_pipeline_of_an_update_is_an_object(client, project, pipeline):
    before = await within(client.deploy.add(pipeline=echo(project)))

    answer = await ask(client, 'rrext_deploy_update', {'projectId': project, 'pipeline': pipeline})

    assert answer['message'] == 'pipeline must be an object'
    assert await within(client.deploy.status(project)) == before


@pytest.mark.parametrize('schedule', [None, 7, []])
async def test_absent_is_not_null(client, project, schedule):
    before = await within(client.deploy.add(pipeline=echo(project), schedule='@daily'))

    answer = await ask(client, 'rrext_deploy_update', {'projectId': project, 'schedule': schedule})

    assert answer['message'] == 'schedule must be a string'
    assert await within(client.deploy.status(project)) == before


async def test_an_update_answers_an_empty_body(client, project):
    await within(client.deploy.add(pipeline=echo(project)))

    answer = await ask(client, 'rrext_deploy_update', {'projectId': project})

    assert answer['body'] == {}


async def test_a_paused_deployment_stays_paused(client, plane, project):
    await within(client.deploy.add(pipeline=on_schedule(project), schedule='@daily'))
    plane.http('POST', f'/v1/deployments/{project}/pause', {})

    await within(client.deploy.update(project, schedule='@hourly'))

    record = await within(client.deploy.status(project))
    assert (record['state'], record['schedule']) == ('paused', '@hourly')


async def test_a_time_zone_that_was_set_over_http_stays(client, plane, project):
    await within(client.deploy.add(pipeline=on_schedule(project), schedule='@daily'))
    plane.http('PATCH', f'/v1/deployments/{project}', {'timezone': 'Europe/Berlin'})

    await within(client.deploy.update(project, schedule='0 7 * * *'))

    assert plane.http('GET', f'/v1/deployments/{project}')[1]['timezone'] == 'Europe/Berlin'


async def test_an_update_makes_a_version(client, plane, project):
    await within(client.deploy.add(pipeline=echo(project)))
    await within(client.deploy.update(project, pipeline=echo(project, name='two')))
    await within(client.deploy.update(project, pipeline=echo(project, name='two')))

    versions = plane.http('GET', f'/v1/deployments/{project}/versions')[1]['items']

    assert [version['version'] for version in versions] == [2, 1]


@pytest.mark.parametrize('method', ['status', 'remove', 'update'])
async def test_an_unknown_project_is_an_error(client, method):
    with pytest.raises(RuntimeError) as refused:
        await within(getattr(client.deploy, method)('missing'))

    assert type(refused.value) is RuntimeError
    assert 'project `missing` does not exist' in str(refused.value)
    assert '/' not in str(refused.value), 'no path of the server'


@pytest.mark.parametrize('command', ['rrext_deploy_status', 'rrext_deploy_remove', 'rrext_deploy_update'])
@pytest.mark.parametrize('arguments', [{}, {'projectId': None}, {'projectId': ''}])
async def test_a_project_id_is_required(client, command, arguments):
    assert (await ask(client, command, arguments))['message'] == 'projectId is required'


@pytest.mark.parametrize('command', ['rrext_deploy_status', 'rrext_deploy_remove', 'rrext_deploy_update'])
@pytest.mark.parametrize('wrong', [7, [], {}, True])
async def test_a_project_id_is_a_text(client, command, wrong):
    assert (await ask(client, command, {'projectId': wrong}))['message'] == 'projectId must be a string'


@pytest.mark.parametrize('command', ['rrext_deploy_status', 'rrext_deploy_remove', 'rrext_deploy_update'])
@pytest.mark.parametrize('wrong', ['x' * 257, 'a\nb', '\x00'])
async def test_a_project_id_that_cannot_be_is_an_error(client, command, wrong):
    assert (await ask(client, command, {'projectId': wrong}))['success'] is False


async def test_a_removed_project_is_gone(client, project):
    await within(client.deploy.add(pipeline=echo(project)))

    assert await within(client.deploy.remove(project)) is None

    assert project not in [record['pipeline']['project_id'] for record in await within(client.deploy.list())]
    for method in ['status', 'remove', 'update']:
        with pytest.raises(RuntimeError):
            await within(getattr(client.deploy, method)(project))


async def test_names_differ_by_their_case(client, project):
    await within(client.deploy.add(pipeline=echo(project)))

    with pytest.raises(RuntimeError):
        await within(client.deploy.status(project.upper()))


async def test_the_list_of_a_new_owner_is_empty(plane_of_its_own, connect):
    client = await connect(plane_of_its_own.key, plane_of_its_own.url)

    assert await within(client.deploy.list()) == []


async def test_the_list_has_every_deployment_as_status_shows_it(plane_of_its_own, connect):
    client = await connect(plane_of_its_own.key, plane_of_its_own.url)
    for number in range(250):
        await within(client.deploy.add(pipeline=echo(f'p{number}')))
    for number in range(0, 250, 10):
        await within(client.deploy.remove(f'p{number}'))

    listed = {record['pipeline']['project_id']: record for record in await within(client.deploy.list())}

    assert len(listed) == 225
    for name in ['p1', 'p99', 'p101', 'p249']:
        assert listed[name] == await within(client.deploy.status(name))


async def test_a_pipeline_with_line_breaks_comes_in_one_line(client, plane, project):
    """The TypeScript client cuts each frame at its first line break."""
    import json
    import urllib.request

    body = json.dumps({'pipeline': echo(project)}, indent=2).encode()
    headers = {'authorization': f'Bearer {plane.key}', 'content-type': 'application/json'}
    with urllib.request.urlopen(urllib.request.Request(plane.url + '/v1/deployments', body, headers)):
        pass
    frames = []
    transport = client._transport
    receive = transport._receive_data

    async def watched(data):
        frames.append(data)
        await receive(data)

    transport._receive_data = watched

    record = await within(client.deploy.status(project))

    assert record['pipeline'] == echo(project)
    assert frames and all('\n' not in frame for frame in frames)
