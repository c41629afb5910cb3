"""Events, as the clients' own monitors and callbacks get them, from a second connection too."""

import asyncio

import pytest
from conftest import VERSION, call, echo, on_schedule, until, within

#: Changes of deployments, and monitors of a team.
knows_teams = pytest.mark.skipif(VERSION < '1.4', reason='knows no teams')


class Seen:
    """The events that a client received."""

    def __init__(self):
        self.events = []

    async def note(self, event):
        self.events.append((event['event'], event['body']))

    def of(self, name):
        return [body for event, body in self.events if event == name]


@pytest.fixture
async def watch(connect):
    """A connection that watches, and the events that it received."""

    async def watch(key, types, plane_key=None):
        seen = Seen()
        watcher = await connect(key=plane_key, on_event=seen.note)
        await within(watcher.add_monitor(key, types))
        return seen

    return watch


def telling(project):
    """A pipeline that sends each text as `progress`, and answers with it."""
    pipeline = echo(project)
    log = {'id': 'log_1', 'provider': 'log', 'config': {'event': 'progress'}}
    pipeline['components'].append({**log, 'input': [{'lane': 'text', 'from': 'webhook_1'}]})
    return pipeline


async def send(client, task, text='x', **more):
    return await within(client.send(task['token'], text, mimetype='text/plain', **more))


def of_project(project, **more):
    return {'project_id': project, 'source': 'webhook_1', **more}


async def test_events_are_seen_from_a_second_connection(client, connect, project):
    seen = []

    async def note(event):
        seen.append((event['event'], event['body'].get('action') or event['body'].get('state')))

    watcher = await connect(on_event=note)
    await within(watcher.add_monitor({'project_id': project, 'source': 'webhook_1'}, ['task', 'summary']))
    task = await within(client.use(pipeline=echo(project)))
    await until(lambda: ('apaevt_task', 'begin') in seen)
    await send(client, task, 'x')
    await within(client.terminate(task['token']))

    await until(lambda: ('apaevt_task', 'end') in seen and ('apaevt_status_update', 6) in seen)
    assert seen[:2] == [('apaevt_task', 'running'), ('apaevt_status_update', 0)] or seen[:2] == [
        ('apaevt_status_update', 0), ('apaevt_task', 'running')]  # fmt: skip


async def test_set_events_subscribes_by_token(client, project):
    task = await within(client.use(pipeline=echo(project)))
    await within(client.set_events(task['token'], ['summary', 'task']))
    await within(client.set_events(task['token'], []))


async def test_flow_shows_the_way_of_a_traced_object(client, watch, project):
    seen = await watch(of_project(project), ['flow'])
    task = await within(client.use(pipeline=echo(project), pipelineTraceLevel='summary'))

    result = await send(client, task, 'Hello', objinfo={'name': 'greeting.txt'})

    await until(lambda: [body['op'] for body in seen.of('apaevt_flow')] == ['begin', 'enter', 'leave', 'end'])
    begin, enter, leave, end = seen.of('apaevt_flow')
    assert {body['id'] for body in (begin, enter, leave, end)} == {begin['id']} and isinstance(begin['id'], int)
    assert begin['pipes'] == end['pipes'] == ['greeting.txt'] == leave['pipes']
    assert (enter['component'], enter['pipes']) == ('response_1', ['greeting.txt', 'response_1'])
    assert enter['trace'] == {'lane': 'text', 'data': {'text': 'Hello', 'bytes': 5}}
    assert leave['trace'] == {'lane': 'text', 'result': 'continue'}
    assert end['result']['text'] == result['text']
    assert all((body['project_id'], body['source']) == (project, 'webhook_1') for body in (begin, end))


@pytest.mark.parametrize('level', [None, 'none'])
async def test_flow_is_silent_without_a_trace_level(client, watch, project, level):
    seen = await watch(of_project(project), ['flow', 'summary'])
    task = await within(client.use(pipeline=echo(project), pipelineTraceLevel=level))

    await send(client, task)

    await until(lambda: any(body['completedCount'] == 1 for body in seen.of('apaevt_status_update')))
    await asyncio.sleep(1.2)
    assert seen.of('apaevt_flow') == []


async def test_metadata_contains_no_values(client, watch, project):
    seen = await watch({'token': '*'}, ['flow'])
    task = await within(client.use(pipeline=echo(project), pipelineTraceLevel='metadata'))

    await send(client, task, 'private')

    await until(lambda: len(seen.of('apaevt_flow')) == 4)
    assert 'private' not in str(seen.events)


async def test_a_message_is_heard_by_its_pipe_before_the_result(client, project):
    task = await within(client.use(pipeline=telling(project)))
    heard = []

    async def on_sse(kind, data):
        heard.append((kind, data))

    pipe = await within(client.pipe(task['token'], mime_type='text/plain', on_sse=on_sse))
    await within(pipe.open())
    await within(pipe.write(b'half way'))
    result = await within(pipe.close())

    assert (heard, result['text']) == ([('progress', {'text': 'half way'})], ['half way\n\n'])


async def test_a_sender_hears_its_own_pipes_only(client, project):
    task = await within(client.use(pipeline=telling(project), threads=64))
    heard = {}

    def listener(number):
        async def on_sse(kind, data):
            heard.setdefault(number, []).append(data['text'])

        return on_sse

    async def send_one(number):
        pipe = await client.pipe(task['token'], mime_type='text/plain', on_sse=listener(number))
        async with pipe:
            await pipe.write(f'object {number}'.encode())

    await within(asyncio.gather(*(send_one(number) for number in range(20))))

    assert heard == {number: [f'object {number}'] for number in range(20)}


async def test_a_holder_of_the_public_token_receives_the_messages(client, connect, project):
    task = await within(client.use(pipeline=telling(project)))
    heard = []

    async def on_sse(kind, data):
        heard.append(data['text'])

    sender = await connect(key=task['publicToken'])
    pipe = await within(sender.pipe(task['publicToken'], mime_type='text/plain', on_sse=on_sse))
    async with pipe:
        await within(pipe.write(b'hi'))

    assert heard == ['hi']


async def test_messages_are_seen_from_a_second_connection(client, watch, project):
    seen = await watch({'token': '*'}, ['sse'])
    task = await within(client.use(pipeline=telling(project)))

    await send(client, task, 'seen')

    await until(lambda: seen.of('apaevt_sse'))
    [message] = [body for body in seen.of('apaevt_sse') if body['data'] == {'text': 'seen'}]
    assert (message['type'], message['__id']) == ('progress', task['id']) and isinstance(message['pipe_id'], int)


async def test_listening_to_a_pipe_keeps_the_monitors_of_its_task(client, connect, project):
    seen = Seen()
    sender = await connect(on_event=seen.note)
    task = await within(sender.use(pipeline=telling(project)))
    await within(sender.set_events(task['token'], ['summary']))

    async def on_sse(kind, data):
        pass

    async with await within(sender.pipe(task['token'], mime_type='text/plain', on_sse=on_sse)) as pipe:
        await within(pipe.write(b'x'))

    await until(lambda: any(body['completedCount'] == 1 for body in seen.of('apaevt_status_update')))


async def test_details_name_the_object_and_the_counts(client, watch, project):
    seen = await watch(of_project(project), ['detail'])
    task = await within(client.use(pipeline=echo(project)))

    await send(client, task, 'Hello', objinfo={'name': 'a.txt'})

    await until(lambda: any(body['completedCount'] == 1 for body in seen.of('apaevt_status_counts')))
    assert seen.of('apaevt_status_object')[-1]['object'] == 'a.txt'
    assert seen.of('apaevt_status_state')[0]['state'] == 3


async def test_a_tasks_log_arrives_as_output(client, watch, project):
    seen = await watch(of_project(project), ['output'])
    task = await within(client.use(pipeline=telling(project)))

    await send(client, task, 'logged')

    await until(lambda: [body['output'] for body in seen.of('output')] == ['logged\n'])


async def test_a_source_of_its_own_objects_is_traced_too(client, watch, project):
    seen = await watch({'project_id': project, 'source': 'timer_1'}, ['flow', 'task'])

    await within(client.use(pipeline=on_schedule(project), pipelineTraceLevel='metadata'))

    await until(lambda: 'end' in [body['op'] for body in seen.of('apaevt_flow')])
    await until(lambda: 'end' in [body['action'] for body in seen.of('apaevt_task')])


async def test_the_dashboard_receives_connections_and_tasks(plane, client, connect, watch, project):
    seen = await watch({'token': '*'}, ['dashboard'])
    other = await connect()
    task = await within(client.use(pipeline=echo(project)))
    await within(client.terminate(task['token']))
    await within(other.disconnect())

    def actions():
        return {body['action'] for body in seen.of('apaevt_dashboard')}

    wanted = {'connection_added', 'connection_removed', 'task_started', 'task_stopped'}
    await until(lambda: wanted <= actions())
    assert all(isinstance(body['timestamp'], float) for body in seen.of('apaevt_dashboard'))


async def test_no_event_goes_to_another_owner(plane, client, watch, project):
    types = ['detail', 'summary', 'output', 'flow', 'task', 'sse', 'dashboard', 'deploy']
    stranger = await watch({'token': '*'}, types, plane.key_of('stranger'))
    mine = await watch({'token': '*'}, types)
    before = len(stranger.events)
    task = await within(client.use(pipeline=telling(project), pipelineTraceLevel='full'))

    await send(client, task)

    await until(lambda: mine.of('apaevt_flow'))
    await asyncio.sleep(1.2)
    assert len(stranger.events) == before


async def test_without_a_monitor_nothing_is_sent(connect, project):
    seen = Seen()
    client = await connect(on_event=seen.note)
    task = await within(client.use(pipeline=telling(project), pipelineTraceLevel='full'))

    await send(client, task)

    await asyncio.sleep(1.2)
    assert seen.events == []


@knows_teams
async def test_changes_of_deployments_are_sent(client, watch, project):
    seen = await watch({'token': '*'}, ['deploy'])
    pipeline = {**on_schedule(project), 'name': 'one'}

    await call(client, 'rrext_deploy', subcommand='add', kind='pipe', pipeline=pipeline)
    await call(client, 'rrext_deploy_pipe', subcommand='deploy', projectId=project, version=1, teamId='production')

    def mine():
        return [body for body in seen.of('apaevt_deploy') if body['projectId'] == project]

    await until(lambda: len(mine()) == 2)
    assert sorted((body['action'], body['teamId']) for body in mine()) == [('deploy', 'production'), ('publish', '')]
    assert all(body['orgId'] == 'dev' for body in mine())


@knows_teams
async def test_the_run_of_a_team_is_monitored_by_its_name(client, watch, project):
    pipeline = {**echo(project), 'name': 'one'}
    await call(client, 'rrext_deploy', subcommand='add', kind='pipe', pipeline=pipeline)
    of_team = {'projectId': project, 'teamId': 'production'}
    await call(client, 'rrext_deploy_pipe', subcommand='deploy', version=1, **of_team)
    mine = await watch(of_project(project), ['task'])
    teams = await watch(of_project(project, team_id='production'), ['task'])

    await call(client, 'rrext_deploy_pipe', subcommand='run', sourceId='webhook_1', **of_team)

    await until(lambda: 'begin' in [body['action'] for body in teams.of('apaevt_task')])
    assert [body['action'] for body in mine.of('apaevt_task')] == ['running']


@pytest.mark.skipif(VERSION != '1.5.0', reason='has no bridge to OpenTelemetry')
async def test_the_clients_own_bridge_makes_whole_spans_of_it(client, watch, project):
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    from rocketride.otelbridge.mapper import FlowSpanMapper

    memory, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(memory))
    mapper = FlowSpanMapper(provider.get_tracer('test'))
    seen = await watch({'token': '*'}, ['task', 'flow', 'sse'])
    task = await within(client.use(pipeline=telling(project), pipelineTraceLevel='summary'))

    await send(client, task, 'Hello', objinfo={'name': 'greeting.txt'})
    await within(client.terminate(task['token']))
    await until(lambda: 'end' in [body['action'] for body in seen.of('apaevt_task') if body.get('__id') == task['id']])
    for name, body in seen.events:
        mapper.handle_event(name, body)

    spans = {span.name: span for span in memory.get_finished_spans()}
    assert {'greeting.txt', 'response_1', 'log_1'} <= set(spans)
    assert spans['response_1'].parent.span_id == spans['greeting.txt'].context.span_id
    assert not any('rocketride.span.unclosed' in span.attributes for span in spans.values() if span.name != 'task')
