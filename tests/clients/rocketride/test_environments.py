"""Versions and environments as the clients 1.4.0 and 1.5.0 ask for them. Their teams are the plane's environments."""

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import PATIENCE, VERSION, call, echo, on_schedule, within

pytestmark = pytest.mark.skipif(VERSION < '1.4', reason='speaks of deployments in another dialect')

TEAM = 'staging'


def timed(project, name='one', **more):
    return on_schedule(project, name=name, **more)


async def refused(work, says):
    """The client raises a RuntimeError with the plane's text."""
    with pytest.raises(RuntimeError) as caught:
        await within(work)
    assert type(caught.value) is RuntimeError
    assert says in str(caught.value), caught.value
    return str(caught.value)


@pytest.fixture
async def deploy(client):
    return client.deploy


@pytest.fixture
async def live(deploy, project):
    """A project with two versions, the first of them live in the team."""
    await within(deploy.add(timed(project, 'one'), comment='the first', deploy_to=TEAM))
    await within(deploy.add(timed(project, 'two')))
    return project


async def test_an_added_version_is_described_and_not_live(deploy, client, project):
    pipeline = timed(project, description='ü', unknown={'a': [1, 2]})

    added = await within(deploy.add(pipeline, comment='what changed', metadata={'any': 'thing'}))

    artifact = added['artifact']
    user = client.get_account_info()['userId']
    actor = {'userId': user, 'display': user, 'email': ''}
    assert set(artifact) == {'version', 'sha256', 'bytes', 'pipelineName', 'publishedBy', 'publishedAt', 'comment'}
    assert (artifact['version'], artifact['pipelineName'], artifact['comment']) == (1, 'one', 'what changed')
    assert artifact['publishedBy'] == actor
    assert abs(artifact['publishedAt'] - time.time()) < 60
    assert len(artifact['sha256']) == 64 and artifact['bytes'] > 100
    assert added['orgId'] == user
    assert 'deployment' not in added
    assert (await within(deploy.versions(project)))['rows'] == [artifact]
    assert await within(deploy.artifact(project, 1)) == pipeline
    await refused(deploy.get(project, TEAM), f'No deployment of {project} for team {TEAM}')


async def test_versions_are_counted_and_the_newest_is_first(deploy, project):
    for name in ['one', 'two', 'three']:
        await within(deploy.add(timed(project, name)))

    listed = await within(deploy.versions(project))
    assert [row['version'] for row in listed['rows']] == [3, 2, 1]
    assert (listed['total'], listed['page']) == (3, 1)
    second = await within(deploy.versions(project, page=2, page_size=2))
    assert ([row['version'] for row in second['rows']], second['total'], second['pageSize']) == ([1], 3, 2)
    found = await within(deploy.versions(project, search='TW'))
    assert [row['pipelineName'] for row in found['rows']] == ['two']
    upward = await within(deploy.versions(project, sort=[{'field': 'version', 'dir': 'asc'}]))
    assert [row['version'] for row in upward['rows']] == [1, 2, 3]
    filtered = await within(deploy.versions(project, filters={'version': 2}))
    assert [row['version'] for row in filtered['rows']] == [2]
    assert (await within(deploy.versions('an unknown one')))['rows'] == []


@pytest.mark.parametrize(
    ('pipeline', 'says'),
    [
        (None, 'pipeline is required'),
        ({}, 'pipeline is required'),
        ([1], 'pipeline must be an object'),
        ({'name': 'n', 'components': []}, 'pipeline.project_id is required'),
        ({'project_id': 'p', 'components': []}, 'pipeline.name is required'),
    ],
)
async def test_an_incomplete_pipeline_is_refused(deploy, pipeline, says):
    assert await refused(deploy.add(pipeline), says) == says


async def test_a_pipeline_that_cannot_run_is_refused_with_every_problem(deploy, project):
    broken = timed(project)
    broken['components'][0]['provider'] = 'timmer'
    broken['components'][1]['input'][0]['from'] = 'nothing'

    said = await refused(deploy.add(broken), 'timmer')

    assert 'nothing' in said
    assert (await within(deploy.versions(project)))['total'] == 0


async def test_a_pipeline_with_several_sources_need_not_say_where_to_start(deploy, project):
    pipeline = timed(project)
    del pipeline['source']
    other = {'id': 'timer_2', 'provider': 'timer', 'config': {'mode': 'Source', 'type': 'timer'}}
    pipeline['components'].insert(1, other)
    pipeline['components'][2]['input'].append({'lane': 'documents', 'from': 'timer_2'})

    await within(deploy.add(pipeline, deploy_to=TEAM))

    for source in ['timer_1', 'timer_2']:
        deployment = await within(deploy.set_schedule(project, source, '@daily', TEAM))
    assert set(deployment['schedules']) == {'timer_1', 'timer_2'}


async def test_apps_are_refused(deploy):
    await refused(deploy.add(kind='app', data=b'zip'), "Unsupported kind 'app'")


async def test_a_version_is_deployed_as_it_is_added(deploy, client, project):
    added = await within(deploy.add(timed(project), deploy_to='@me'))

    deployment = added['deployment']
    user = client.get_account_info()['userId']
    actor = {'userId': user, 'display': user, 'email': ''}
    artifact = added['artifact']
    times = {name: deployment.pop(name) for name in ['createdAt', 'updatedAt', 'deployedAt']}
    assert all(abs(at - time.time()) < 60 for at in times.values())
    assert deployment == {
        'teamId': f'user~{user}',
        'projectId': project,
        'version': 1,
        'state': 'enabled',
        'pipelineName': 'one',
        'schedules': {},
        'createdBy': actor,
        'updatedBy': actor,
        'sha256': artifact['sha256'],
        'publishedAt': artifact['publishedAt'],
        'publishedBy': actor,
    }
    # The caller's own has two names.
    assert await within(deploy.get(project, '@me')) == await within(deploy.get(project, f'user~{user}'))


async def test_the_pointer_moves_on_and_back(deploy, live):
    promoted = await within(deploy.deploy(live, 2, TEAM))
    rolled_back = await within(deploy.deploy(live, 1, TEAM))
    elsewhere = await within(deploy.deploy(live, 2, 'production'))

    assert (promoted['version'], promoted['pipelineName']) == (2, 'two')
    assert (rolled_back['version'], rolled_back['pipelineName']) == (1, 'one')
    assert rolled_back['createdAt'] == promoted['createdAt'] < rolled_back['deployedAt']
    assert (elsewhere['teamId'], elsewhere['version']) == ('production', 2)
    history = await within(deploy.history(live, team_id=TEAM))
    actions = [(row['action'], row['teamId'], row['version']) for row in history['rows']]
    assert actions == [
        ('rollback', TEAM, 1),
        ('deploy', TEAM, 2),
        ('publish', '', 2),
        ('deploy', TEAM, 1),
        ('publish', '', 1),
    ]
    assert [row['seq'] for row in (await within(deploy.history(live)))['rows']] == [6, 5, 4, 3, 2, 1]
    bounds = {'at__gte': history['rows'][0]['at']}
    assert (await within(deploy.history(live, filters=bounds, team_id=TEAM)))['total'] == 1
    await refused(deploy.deploy(live, 9, TEAM), f'version 9 of `{live}` does not exist')
    assert (await within(deploy.get(live, TEAM)))['version'] == 1


async def test_a_removed_deployment_is_hidden_and_revived(deploy, live):
    await within(deploy.set_schedule(live, 'timer_1', '@daily', TEAM))

    removed = await within(deploy.remove(live, TEAM))

    assert removed['state'] == 'removed'
    for work in [deploy.get, deploy.enable, deploy.disable, deploy.remove]:
        await refused(work(live, TEAM), f'No deployment of {live} for team {TEAM}')
    assert live not in [row['projectId'] for row in (await within(deploy.list()))['rows']]
    revived = await within(deploy.deploy(live, 2, TEAM))
    assert (revived['state'], revived['version'], revived['createdAt']) == ('enabled', 2, removed['createdAt'])
    actions = [row['action'] for row in (await within(deploy.history(live, team_id=TEAM)))['rows']]
    assert actions[:2] == ['deploy', 'remove']


async def test_lists_are_of_a_team_or_of_all(deploy, live):
    await within(deploy.deploy(live, 2, '@me'))

    async def listed(**asked):
        asked = {'search': live, **asked}
        rows = (await within(deploy.list(page_size=100, **asked)))['rows']
        return sorted((row['teamId'], row['version']) for row in rows if row['projectId'] == live)

    assert await listed() == [(TEAM, 1), ('user~dev', 2)]
    assert await listed(team_id=TEAM) == [(TEAM, 1)]
    assert await listed(team_id='@me') == [('user~dev', 2)]
    assert await listed(team_id='production') == []
    assert await listed(filters={'state': 'ENABLE', 'projectId': live[2:]}) == [(TEAM, 1), ('user~dev', 2)]
    assert await listed(filters={'state': 'disabled'}) == []


async def test_schedules_are_set_paused_resumed_and_cleared(deploy, live):
    of_timer = (live, 'timer_1')

    deployment = await within(deploy.set_schedule(*of_timer, '*/5 * * * *', TEAM, ttl=60))
    schedule = {
        'cron': '*/5 * * * *',
        'paused': False,
        'ttl': 60,
        'traceLevel': None,
        'debugOut': False,
        'lastRunAt': None,
    }
    assert deployment['schedules'] == {'timer_1': schedule}
    deployment = await within(deploy.pause_schedule(*of_timer, TEAM))
    assert deployment['schedules']['timer_1'] == {**schedule, 'paused': True}
    # Editing leaves the pause as it is.
    deployment = await within(deploy.set_schedule(*of_timer, '@daily', TEAM))
    assert deployment['schedules']['timer_1'] == {**schedule, 'paused': True, 'cron': '@daily', 'ttl': None}
    deployment = await within(deploy.resume_schedule(*of_timer, TEAM))
    assert deployment['schedules']['timer_1']['paused'] is False
    deployment = await within(deploy.set_source_config(*of_timer, TEAM, trace_level='summary', debug_out=True))
    assert deployment['schedules']['timer_1']['traceLevel'] == 'summary'
    deployment = await within(deploy.set_schedule(*of_timer, None, TEAM))
    assert deployment['schedules']['timer_1'] == {
        **schedule,
        'cron': 'manual',
        'ttl': None,
        'traceLevel': 'summary',
        'debugOut': True,
    }
    deployment = await within(deploy.set_source_config(*of_timer, TEAM))
    assert deployment['schedules'] == {}
    actions = [row['action'] for row in (await within(deploy.history(live, team_id=TEAM)))['rows']]
    assert actions[:2] == ['resume', 'pause']


async def test_what_cannot_be_scheduled_is_refused(deploy, live):
    await refused(deploy.set_schedule(live, 'timer_1', 'often', TEAM), 'often')
    await refused(deploy.set_schedule(live, 'timer_1', '0 0 30 2 *', TEAM), 'never fires')
    await refused(deploy.set_schedule(live, 'other', '@daily', TEAM), 'not a component')
    says = 'ttl must be a positive integer (seconds) or omitted'
    for ttl in [0, -1, 1.5, 'x']:
        assert await refused(deploy.set_schedule(live, 'timer_1', '@daily', TEAM, ttl=ttl), says) == says
    for ttl in [86401, 2**40]:
        await refused(deploy.set_schedule(live, 'timer_1', '@daily', TEAM, ttl=ttl), f'ttl is {ttl}, outside 1 to 86400')
    await refused(deploy.pause_schedule(live, 'timer_1', TEAM), 'has no schedule')
    await refused(deploy.set_source_config(live, 'timer_1', TEAM, trace_level='loud'), 'traceLevel')
    assert (await within(deploy.get(live, TEAM)))['schedules'] == {}


async def test_a_run_is_a_task_and_only_one_at_a_time(deploy, client, project):
    await within(deploy.add(echo(project, name='echo'), deploy_to=TEAM))

    started = await within(deploy.run(project, 'webhook_1', TEAM))

    assert set(started) == {'token', 'version'}
    assert started['token'].startswith('tk_') and started['version'] == 1
    says = f'A run of {project}/webhook_1 is already active for team {TEAM}'
    assert await refused(deploy.run(project, 'webhook_1', TEAM), says) == says
    # Another team's runs are its own.
    await within(deploy.deploy(project, 1, '@me'))
    assert (await within(deploy.run(project, 'webhook_1', '@me')))['version'] == 1
    await refused(deploy.run(project, 'nothing', TEAM), 'not a component')
    assert (await within(deploy.history(project)))['rows'][0]['action'] == 'run'


async def test_a_team_names_its_own_run(deploy, client, project):
    await within(deploy.add(echo(project, name='echo'), deploy_to=TEAM))
    own = await within(client.use(pipeline=echo(project)))
    run = await within(deploy.run(project, 'webhook_1', TEAM))
    published = await within(deploy.artifact(project, 1))
    of_source = {'project_id': project, 'source': 'webhook_1'}

    assert await token_of(client, project) == own['token']
    assert await token_of(client, project, team_id=TEAM) == run['token']
    other = echo(project, source='webhook_1')
    other['components'][1]['config'] = {'laneName': 'other'}
    await refused(client.restart(**of_source, pipeline=other, team_id=TEAM), 'runs version 1')
    await within(client.restart(**of_source, pipeline=published, team_id=TEAM))
    await within(client.restart(**of_source, pipeline=other))
    for token, key in [(run['token'], 'text'), (own['token'], 'other')]:
        assert key in await within(client.send(token, 'hi', mimetype='text/plain')), key


async def token_of(client, project, **more):
    return await within(client.get_task_token(project, 'webhook_1', **more))


async def test_many_that_deploy_what_they_add_are_each_stored(connect, project):
    clients = [(await connect()).deploy for _ in range(4)]
    adds = [clients[n % 4].add(timed(project, f'n{n}'), deploy_to=TEAM) for n in range(20)]

    answers = await asyncio.gather(*map(within, adds))

    versions = (await within(clients[0].versions(project)))['rows']
    expected = sorted(((a['artifact']['version'], a['artifact']['sha256']) for a in answers), reverse=True)
    assert [(row['version'], row['sha256']) for row in versions] == expected
    assert sorted(row['pipelineName'] for row in versions) == sorted(f'n{n}' for n in range(20))
    live = await within(clients[0].get(project, TEAM))
    history = (await within(clients[0].history(project, team_id=TEAM)))['rows']
    moves = [row for row in history if row['action'] in ('deploy', 'rollback')]
    assert len(moves) == 20
    assert (moves[0]['version'], moves[0]['at']) == (live['version'], live['deployedAt'])


async def test_a_schedule_that_nothing_comes_of_is_warned_of(deploy, project):
    await within(deploy.add(echo(project, name='echo'), deploy_to=TEAM))

    deployment = await within(deploy.set_schedule(project, 'webhook_1', '@daily', TEAM))

    assert 'waits for a caller' in deployment['warnings'][0]['message']


async def test_tasks_and_connections_are_listed(client, project):
    task = await within(client.use(pipeline=echo(project)))

    tasks = await within(client.list_tasks({'filters': {'projectId': project}, 'page_size': 25}))
    connections = await within(client.list_connections())

    assert (tasks['total'], tasks['page'], tasks['pageSize']) == (1, 1, 25)
    assert tasks['rows'][0]['id'] == task['id']
    assert connections['total'] >= 1 and set(connections) == {'rows', 'total', 'page', 'pageSize'}


async def test_a_disabled_deployment_runs_nothing(deploy, live):
    disabled = await within(deploy.disable(live, TEAM))
    assert disabled['state'] == 'disabled'
    await refused(deploy.run(live, 'timer_1', TEAM), 'is disabled')
    moved = await within(deploy.deploy(live, 2, TEAM))
    assert (moved['state'], moved['version']) == ('disabled', 2)
    enabled = await within(deploy.enable(live, TEAM))
    assert enabled['state'] == 'enabled'
    assert (await within(deploy.run(live, 'timer_1', TEAM)))['version'] == 2


async def test_a_preview_agrees_with_the_calendar(deploy):
    seen = await within(deploy.preview('0 9 * * *'))
    assert seen['valid'] is True and len(seen['next']) == 5 and 'error' not in seen
    assert all(at % 86400 == 9 * 3600 for at in seen['next'])
    assert all(later - earlier == 86400 for earlier, later in zip(seen['next'], seen['next'][1:]))
    assert len((await within(deploy.preview('* * * * *', 3)))['next']) == 3
    assert len((await within(deploy.preview('* * * * *', 1000)))['next']) == 50
    assert await within(deploy.preview('manual')) == {'valid': True, 'next': []}
    for schedule in ['x', '* * * * * *', '0 0 30 2 *', '@reboot']:
        seen = await within(deploy.preview(schedule))
        assert (seen['valid'], seen['next']) == (False, []) and schedule in seen['error']
    seen = await within(deploy.preview(''))
    assert (seen['valid'], seen['next']) == (False, []) and seen['error']
    assert len((await within(deploy.preview('* * * * *', 10**10)))['next']) == 50
    assert (await within(deploy.preview('* * * * *', -1)))['next'] == []


async def test_names_that_are_missing_or_of_others_are_refused(deploy, client, live):
    await refused(deploy.get(live, ''), 'teamId is required')
    await refused(deploy.get('', TEAM), 'projectId is required')
    await refused(deploy.set_schedule(live, '', '@daily', TEAM), 'sourceId is required')
    await refused(deploy.deploy(live, 1, 'user~other'), "No membership in team 'user~other'")
    for team in ['a b', '@you', 'x' * 65]:
        await refused(deploy.deploy(live, 1, team), 'a team has 1 to 64 of')
    for command in ['rrext_deploy', 'rrext_deploy_pipe']:
        await refused(call(client, command), 'Subcommand is required')
        await refused(call(client, command, subcommand='fly'), 'Unknown subcommand: fly')
    await refused(call(client, 'rrext_deploy_pipe', subcommand='deploy', projectId=live, teamId=TEAM), 'version')


async def test_a_login_lists_the_teams(connect, deploy, project):
    team = f'team-{project}'.replace('_', '-')[:60]
    await within(deploy.add(timed(project), deploy_to=team))

    account = (await connect()).get_account_info()

    teams = account['organization']['teams']
    assert teams[0]['id'] == 'production' == account['devTeam']
    assert team in [one['id'] for one in teams]
    assert '@me' not in [one['id'] for one in teams]
    assert all('task.control' in one['permissions'] for one in teams)


async def test_a_key_without_the_right_is_refused(plane, connect, live):
    reader = (await connect(key=plane.new_key('task.monitor')['key'])).deploy

    assert (await within(reader.get(live, TEAM)))['version'] == 1
    assert len((await within(reader.preview('@daily')))['next']) == 5
    for work in [reader.add(timed(live)), reader.deploy(live, 2, TEAM), reader.run(live, 'timer_1', TEAM)]:
        assert await refused(work, 'denied') == "Permission 'task.control' denied"


async def test_a_schedule_fires_the_live_version_and_a_restart_forgets_nothing(plane_of_its_own, connect):
    plane = plane_of_its_own
    plane.stop()
    plane.options = ['--minute', '1']
    plane.start()
    deploy = (await connect(url=plane.url, key=plane.key)).deploy
    await within(deploy.add(timed('p', 'one'), deploy_to=TEAM))
    await within(deploy.add(timed('p', 'two')))
    await within(deploy.set_schedule('p', 'timer_1', '* * * * *', TEAM))

    def made(version):
        runs = plane.http('GET', '/v1/runs?limit=100')[1]['items']
        return [run['tick'] for run in runs if (run['version'], run['environment']) == (version, TEAM)]

    await until(lambda: len(made(1)) >= 2)
    await within(deploy.deploy('p', 2, TEAM))
    await until(lambda: len(made(2)) >= 2)
    plane.stop()
    plane.start()
    await until(lambda: len(made(2)) >= 4)

    ticks = made(1) + made(2)
    assert len(ticks) == len(set(ticks)), 'a minute fired twice'
    assert max(made(1)) < min(made(2))
    status, health = plane.http('POST', '/v1/doctor')
    assert (status, health['findings']) == (200, [])


async def until(holds):
    for _ in range(PATIENCE * 10):
        if holds():
            return
        await asyncio.sleep(0.1)
    pytest.fail('it did not come to that in time')


def command_line(plane, *words):
    """The client's own command line."""
    program = Path(sys.executable).with_name('rocketride')
    command = [program, 'deploy', *words, '--uri', plane.url, '--apikey', plane.key, '--json']
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE)
    return done.returncode, done.stdout, done.stderr


async def test_the_command_line_deploys_schedules_and_shows(plane, project, tmp_path):
    file = tmp_path / 'p.pipe'
    file.write_text(json.dumps(timed(project)))

    for words in [
        ('add', str(file), '--comment', 'c', '--deploy-to', TEAM),
        ('versions', project),
        ('artifact', project, '1'),
        ('publish', project, '1', '--team', 'production'),
        ('schedule', 'set', project, 'timer_1', '@daily', '--team', TEAM),
        ('schedule', 'pause', project, 'timer_1', '--team', TEAM),
        ('schedule', 'resume', project, 'timer_1', '--team', TEAM),
        ('schedule', 'preview', '@daily'),
        ('schedule', 'set', project, 'timer_1', 'none', '--team', TEAM),
        ('get', project, '--team', TEAM),
        ('run', project, 'timer_1', '--team', TEAM),
        ('history', project),
        ('list', '--team', TEAM),
        ('disable', project, '--team', TEAM),
        ('enable', project, '--team', TEAM),
        ('remove', project, '--team', TEAM),
    ]:
        code, out, err = await asyncio.to_thread(command_line, plane, *words)
        assert code == 0 and json.loads(out), (words, out, err)
    code, out, err = await asyncio.to_thread(command_line, plane, 'get', project, '--team', TEAM)
    assert code != 0 and f'No deployment of {project} for team {TEAM}' in out + err
