"""Tasks: use, send, pipes, files, chat, status, restart and terminate, as the clients' own documentation has them."""

import asyncio
import os
import signal
import uuid

import pytest
import rocketride
from conftest import ask, call, echo, once, until, within

#: Every field of a status.
TASK_STATUS_FIELDS = {
    'name', 'project_id', 'source', 'completed', 'state', 'startTime', 'endTime', 'debuggerAttached', 'status',
    'warnings', 'errors', 'currentObject', 'currentSize', 'notes', 'totalSize', 'totalCount', 'completedSize',
    'completedCount', 'failedSize', 'failedCount', 'wordsSize', 'wordsCount', 'rateSize', 'rateCount', 'serviceUp',
    'exitCode', 'exitMessage', 'pipeflow', 'metrics', 'tokens',
}  # fmt: skip


@pytest.fixture
async def task(client, project):
    """A task of the echo pipeline."""
    return await within(client.use(pipeline=echo(project), threads=64))


async def send(client, task, text, **more):
    return await within(client.send(task['token'], text, mimetype='text/plain', **more))


async def test_using_a_pipeline_gives_what_addresses_it(client, project):
    task = await within(client.use(pipeline=echo(project)))

    assert task['token'].startswith('tk_') and task['publicToken'].startswith('pk_')
    assert (task['projectId'], task['source'], task['provider']) == (project, 'webhook_1', 'webhook')
    assert task['id'] == f'{task["token"][3:11]}.webhook_1'


async def test_a_text_is_sent_and_comes_back(client, task):
    result = await send(client, task, 'Hello', objinfo={'name': 'greeting.txt'})

    assert result['text'] == ['Hello\n\n']
    assert result['result_types'] == {'text': 'text'}
    assert (result['name'], result['path'], len(result['objectId'])) == ('greeting.txt', '', 36)


async def test_an_object_without_a_name_gets_one(client, task):
    result = await send(client, task, 'Hello')

    assert uuid.UUID(result['name']) and uuid.UUID(result['objectId'])


async def test_each_write_of_a_pipe_is_part_of_the_text(client, task):
    pipe = await within(client.pipe(task['token'], mime_type='text/plain'))
    await within(pipe.open())
    for part in [b'Hello ', b'from ', b'a pipe']:
        await within(pipe.write(part))

    assert (await within(pipe.close()))['text'] == ['Hello \n\nfrom \n\na pipe\n\n']


async def test_a_character_that_is_cut_between_writes_is_whole(client, task):
    async with await within(client.pipe(task['token'], mime_type='text/plain')) as pipe:
        await within(pipe.write('é'.encode()[:1]))
        await within(pipe.write('é'.encode()[1:]))
        result = await within(pipe.close())

    assert result['text'] == ['é\n\n']


async def test_newlines_and_bytes_of_any_kind_go_through(client, task):
    text = 'a\nb\r\n\0\t"\\ü\n'

    assert (await send(client, task, text))['text'] == [text + '\n\n']


@pytest.mark.parametrize('mimetype', [None, 'application/json', 'application/octet-stream'])
async def test_what_no_component_listens_to_succeeds_without_a_result(client, task, mimetype):
    result = await within(client.send(task['token'], '{"a": 1}', mimetype=mimetype))

    assert 'result_types' not in result and 'error' not in result


async def test_a_component_that_fails_is_in_the_body(client, project):
    pipeline = echo(project)
    pipeline['components'].insert(1, {
        'id': 'broken_1', 'provider': 'template', 'config': {'template': '{{ value.nothing.at.all }}'},
        'input': [{'lane': 'text', 'from': 'webhook_1'}],
    })  # fmt: skip
    pipeline['components'][2]['input'] = [{'lane': 'text', 'from': 'broken_1'}]
    task = await within(client.use(pipeline=pipeline))

    result = await send(client, task, 'x')

    assert 'broken_1' in result['error']
    status = await within(client.get_task_status(task['token']))
    assert (status['failedCount'], status['completed']) == (1, False)
    assert result['error'] in status['errors']


async def test_a_status_has_every_field(client, task):
    await send(client, task, 'Hello')

    status = await within(client.get_task_status(task['token']))

    assert TASK_STATUS_FIELDS <= set(status)
    assert (status['state'], status['completed'], status['status']) == (3, False, 'Running')
    assert (status['totalCount'], status['completedCount'], status['completedSize']) == (1, 1, 5)
    assert isinstance(status['startTime'], float) and status['serviceUp'] is True


async def test_files_are_uploaded_all_at_once(client, task, tmp_path):
    names = [f'file{number}.txt' for number in range(30)]
    for name in names:
        (tmp_path / name).write_text(name)

    rows = await within(client.send_files([str(tmp_path / name) for name in names], task['token']))

    assert [row['action'] for row in rows] == ['complete'] * 30
    assert sorted(row['result']['text'][0].strip() for row in rows) == sorted(names)


@once
async def test_more_files_than_threads_are_uploaded(client, project, tmp_path):
    task = await within(client.use(pipeline=echo(project), threads=1))
    for number in range(300):
        (tmp_path / f'{number}.txt').write_text(str(number))

    rows = await within(client.send_files([str(path) for path in tmp_path.iterdir()], task['token']), 120)

    assert [row['action'] for row in rows] == ['complete'] * 300


@once
async def test_a_file_of_200_mb_is_uploaded(client, task, tmp_path):
    path = tmp_path / 'large.bin'
    with open(path, 'wb') as file:
        for _ in range(200):
            file.write(os.urandom(1 << 20))

    [row] = await within(client.send_files([(str(path), {}, 'application/octet-stream')], task['token']), 180)

    assert row['action'] == 'complete', row
    status = await within(client.get_task_status(task['token']))
    assert status['completedSize'] == 200 << 20


async def test_a_chat_answers_questions(client, project):
    pipeline = {
        'project_id': project, 'source': 'chat_1',
        'components': [
            {'id': 'chat_1', 'provider': 'chat', 'config': {'mode': 'Source', 'type': 'chat'}},
            {'id': 'response_1', 'provider': 'response', 'config': {'lanes': []},
             'input': [{'lane': 'questions', 'from': 'chat_1'}]},
        ],
    }  # fmt: skip
    task = await within(client.use(pipeline=pipeline))
    question = rocketride.Question()
    question.addQuestion('why?')

    result = await within(client.chat(token=task['token'], question=question))

    assert result['result_types'] == {'questions': 'questions'}
    assert 'why?' in str(result['questions'])


async def test_a_chat_is_no_webhook(client, task):
    with pytest.raises(RuntimeError, match='You are looking for a "chat"'):
        pipe = await within(client.pipe(task['token'], mime_type='text/plain', provider='chat'))
        await within(pipe.open())


async def test_a_second_use_is_refused_or_gives_the_first(client, task, project):
    with pytest.raises(RuntimeError, match='Pipeline is already running'):
        await within(client.use(pipeline=echo(project)))

    again = await within(client.use(pipeline=echo(project), use_existing=True))
    assert again['token'] == task['token']


async def test_a_task_with_a_chosen_token_is_the_owners_own(client, project):
    task = await within(client.use(pipeline=echo(project), token='UPLOAD_TASK ' + project))

    assert task['token'] == 'UPLOAD_TASK ' + project
    assert (await send(client, task, 'x'))['text'] == ['x\n\n']


async def test_another_owner_sees_nothing_of_a_task(connect, plane, task):
    bob = await connect(key=plane.key_of('bob'))

    for work in [
        bob.get_task_status(task['token']),
        bob.terminate(task['token']),
        bob.get_task_pipeline(task['token']),
        bob.send(task['token'], 'x', mimetype='text/plain'),
    ]:
        with pytest.raises(RuntimeError, match='Your pipeline is not running'):
            await within(work)


async def test_another_owners_chosen_token_is_another_task(client, connect, plane, project):
    bob = await connect(key=plane.key_of('bob'))
    hers = await within(client.use(pipeline=echo(project), token='SAME ' + project, use_existing=True))

    his = await within(bob.use(pipeline=echo(project), token='SAME ' + project, use_existing=True))

    assert his['publicToken'] != hers['publicToken']
    await send(client, hers, 'x')
    assert (await within(bob.get_task_status(his['token'])))['totalCount'] == 0


async def test_public_tokens_are_not_guessable(client, connect, plane, project):
    first = await within(client.use(pipeline=echo(project)))
    await within(client.terminate(first['token']))

    second = await within(client.use(pipeline=echo(project)))

    assert first['publicToken'] != second['publicToken'] and first['token'] != second['token']


async def test_terminating_ends_a_task_once(client, task):
    await within(client.terminate(task['token']))

    status = await within(client.get_task_status(task['token']))
    assert (status['state'], status['completed'], status['status']) == (6, True, 'Stopped')
    assert status['endTime'] >= status['startTime'] > 0
    with pytest.raises(RuntimeError, match='Your pipeline is not running'):
        await within(client.terminate(task['token']))
    with pytest.raises(RuntimeError, match='Task has already completed'):
        await send(client, task, 'late')


async def test_terminating_what_never_ran_is_an_error(client):
    with pytest.raises(RuntimeError, match='Your pipeline is not running'):
        await within(client.terminate('tk_' + '0' * 32))
    with pytest.raises(RuntimeError, match='Task token is required'):
        await within(client.terminate(''))


async def test_objects_in_flight_finish_when_a_task_is_terminated(client, task):
    pipes = [await within(client.pipe(task['token'], mime_type='text/plain')) for _ in range(30)]
    for number, pipe in enumerate(pipes):
        await within(pipe.open())
        await within(pipe.write(f'{number} '.encode()))

    await within(client.terminate(task['token']))

    with pytest.raises(RuntimeError, match='Task is terminating'):
        await send(client, task, 'new')
    results = await within(asyncio.gather(*[pipe.close() for pipe in pipes]))
    assert [result['text'] for result in results] == [[f'{number} \n\n'] for number in range(30)]
    assert (await within(client.get_task_status(task['token'])))['completedCount'] == 30


async def test_an_ended_task_makes_room_for_the_next(client, task, project):
    await within(client.terminate(task['token']))

    again = await within(client.use(pipeline=echo(project)))

    assert (await send(client, again, 'x'))['text'] == ['x\n\n']


@pytest.mark.parametrize('with_token', [True, False])
async def test_a_restart_keeps_token_and_counts(client, task, project, with_token):
    await send(client, task, 'before')

    token = task['token'] if with_token else None
    await within(client.restart(token=token, project_id=project, source='webhook_1', pipeline=echo(project, name='new')))

    assert (await send(client, task, 'after'))['text'] == ['after\n\n']
    assert (await within(client.get_task_status(task['token'])))['completedCount'] == 2
    assert (await within(client.get_task_pipeline(task['token'])))['name'] == 'new'


async def test_a_task_is_found_by_project_and_source(client, task, project):
    assert await within(client.get_task_token(project, 'webhook_1')) == task['token']
    with pytest.raises(RuntimeError):
        await within(client.get_task_token(project, 'missing'))


async def test_the_pipeline_keeps_its_placeholders(client, project, monkeypatch):
    monkeypatch.setenv('ROCKETRIDE_SECRET_WORD', 'open sesame')
    pipeline = echo(project)
    pipeline['components'][0]['config']['parameters'] = {'word': '${ROCKETRIDE_SECRET_WORD}'}

    task = await within(client.use(pipeline=pipeline))

    assert await within(client.get_task_pipeline(task['token'])) == pipeline


async def test_running_tasks_are_listed(client, task):
    tasks = (await call(client, 'rrext_get_tasks'))['tasks']

    [mine] = [listed for listed in tasks if listed['token'] == task['token']]
    assert {'name', 'description', 'source', 'status', 'pipeline'} <= set(mine)
    await within(client.terminate(task['token']))
    tasks = (await call(client, 'rrext_get_tasks'))['tasks']
    assert task['token'] not in [listed['token'] for listed in tasks]


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda pipeline: pipeline.update(source='nope'), 'nope'),
        (lambda pipeline: pipeline['components'][0].update(provider='webhoook'), 'webhook'),
        (lambda pipeline: pipeline['components'][1].update(input=[{'lane': 'text', 'from': 'x'}]), '`x`'),
        (lambda pipeline: pipeline.update(components=[]), 'component'),
    ],
)
async def test_a_pipeline_that_cannot_run_is_refused(client, project, change, message):
    pipeline = echo(project)
    change(pipeline)

    with pytest.raises(RuntimeError, match=message):
        await within(client.use(pipeline=pipeline))


async def test_a_source_may_be_chosen(client, project):
    pipeline = echo(project)
    del pipeline['source']
    pipeline['components'].append({'id': 'webhook_2', 'provider': 'webhook', 'config': {'mode': 'Source'}})
    pipeline['components'][1]['input'].append({'lane': 'text', 'from': 'webhook_2'})

    with pytest.raises(RuntimeError, match='sources'):
        await within(client.use(pipeline=pipeline))
    first = await within(client.use(pipeline=pipeline, source='webhook_1'))
    second = await within(client.use(pipeline=pipeline, source='webhook_2'))

    assert first['token'] != second['token']
    assert (await send(client, second, 'x'))['text'] == ['x\n\n']


async def test_a_task_goes_on_when_the_plane_is_killed(plane_of_its_own, project):
    plane = plane_of_its_own
    client = rocketride.RocketRideClient(uri=plane.url, auth=plane.key)
    await within(client.connect())
    task = await within(client.use(pipeline=echo(project)))
    await send(client, task, 'before')

    plane.stop(signal.SIGKILL)
    plane.start()

    client = rocketride.RocketRideClient(uri=plane.url, auth=plane.key)
    await within(client.connect())
    assert (await send(client, task, 'after'))['text'] == ['after\n\n']
    assert (await within(client.get_task_status(task['token'])))['completedCount'] == 2
    await within(client.disconnect())


@once
async def test_pending_objects_end_in_an_error_when_the_plane_is_killed(plane_of_its_own, project):
    client = rocketride.RocketRideClient(uri=plane_of_its_own.url, auth=plane_of_its_own.key)
    await within(client.connect())
    task = await within(client.use(pipeline=echo(project)))
    pipe = await within(client.pipe(task['token'], mime_type='text/plain'))
    await within(pipe.open())

    plane_of_its_own.stop(signal.SIGKILL)

    # The client of a lost socket fails in several ways.
    with pytest.raises((ConnectionError, RuntimeError, AttributeError)):
        await within(pipe.close())


@once
async def test_twenty_connections_that_use_one_pipeline_share_it_once(connect, project):
    clients = [await connect() for _ in range(20)]

    used = await within(asyncio.gather(*[c.use(pipeline=echo(project)) for c in clients], return_exceptions=True))

    won = [task for task in used if isinstance(task, dict)]
    assert len(won) == 1
    assert all('already running' in str(lost) for lost in used if not isinstance(lost, dict))


@once
async def test_a_limit_of_open_tasks_is_named(plane_of_its_own):
    client = rocketride.RocketRideClient(uri=plane_of_its_own.url, auth=plane_of_its_own.key)
    await within(client.connect())
    for number in range(100):
        await within(client.use(pipeline=echo(f'p{number}')))

    with pytest.raises(RuntimeError, match='100 tasks are open, the limit'):
        await within(client.use(pipeline=echo('one too many')))
    await within(client.disconnect())


async def test_a_task_token_is_needed(client):
    answer = await ask(client, 'rrext_get_task_status', {})

    assert not answer['success'] and answer['message'] == 'Task token is required'
