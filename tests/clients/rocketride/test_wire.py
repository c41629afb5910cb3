"""The wire itself, with frames that no client sends: whatever comes, the plane answers or closes, and goes on."""

import asyncio
import contextlib
import json
import os
import struct
import urllib.error
import urllib.request

import pytest
import websockets
from conftest import PATIENCE, echo, once, within

pytestmark = once


def socket(plane, **options):
    url = plane.url.replace('http', 'ws') + '/task/service'
    return websockets.connect(url, compression=None, max_size=None, ping_interval=None, **options)


@pytest.fixture
async def open_socket(plane):
    async with contextlib.AsyncExitStack() as stack:

        async def open_socket(**options):
            return await stack.enter_async_context(socket(plane, **options))

        yield open_socket


@pytest.fixture
async def wire(open_socket, plane):
    """A socket that is logged in."""
    wire = await open_socket()
    assert (await asked(wire, 'auth', auth=plane.key))['success']
    return wire


def request(command, seq=1, **arguments):
    return {'type': 'request', 'seq': seq, 'command': command, 'arguments': arguments}


async def send(wire, frame):
    await wire.send(frame if isinstance(frame, (str, bytes)) else json.dumps(frame))


async def heard(wire):
    return json.loads(await within(wire.recv()))


async def asked(wire, command, **arguments):
    await send(wire, request(command, **arguments))
    return await heard(wire)


async def closed_with(wire):
    """The code and the reason of the close frame that comes next."""
    with pytest.raises(websockets.ConnectionClosed):
        await within(wire.recv())
    return wire.close_code, wire.close_reason


async def test_an_answer_has_the_fields_of_the_protocol(wire):
    answer = await asked(wire, 'rrext_ping', seq=41)

    assert answer == {
        'type': 'response',
        'seq': answer['seq'],
        'request_seq': 41,
        'command': 'rrext_ping',
        'success': True,
        'body': {'pong': True},
    }


async def test_a_failure_has_a_message_and_no_body(wire):
    answer = await asked(wire, 'rrext_deploy_status', seq=5)

    assert answer['success'] is False and answer['request_seq'] == 5
    assert answer['message'] == 'projectId is required' and 'body' not in answer and 'trace' not in answer


@pytest.mark.parametrize(
    'frame',
    [
        b'{"type":"request","seq":3,"command":"rrext_ping"}',
        b'{"type":"request","seq":3,"command":"rrext_ping","arguments":{}}\n',
        b'{"type":"request","seq":3,"command":"rrext_ping","arguments":{}}\nhi\nthere\n\x00\xff',
        '{"type":"request","seq":3,"command":"rrext_ping","arguments":null}',
        '{"seq":3,"command":"rrext_ping","token":"tk_0","more":[{}]}',
        ' {\n"command" : "rrext_ping",\r\n "seq":3 } ',
        '{"type":"request","seq":3,"command":"rrext_ping","arguments":{"token":null,"data":1}}',
    ],
)
async def test_a_request_may_take_several_forms(wire, frame):
    await send(wire, frame)

    answer = await heard(wire)
    assert answer['success'] is True and answer['request_seq'] == 3


@pytest.mark.parametrize(
    'frame, message',
    [
        ({'type': 'request', 'seq': 9, 'command': 'rrext_ping', 'arguments': []}, 'arguments must be an object'),
        ({'type': 'request', 'seq': 9, 'command': 'rrext_ping', 'arguments': 'x'}, 'arguments must be an object'),
        ({'type': 'request', 'seq': 9, 'command': 'rrext_ping', 'arguments': 7}, 'arguments must be an object'),
        ({'type': 'request', 'seq': 9, 'command': None}, 'command must be a string'),
        ({'type': 'request', 'seq': 9, 'command': 7}, 'command must be a string'),
        ({'type': 'request', 'seq': 9}, 'command must be a string'),
        ({'type': 'request', 'seq': 9, 'command': ''}, 'Invalid command: '),
        ({'type': 'request', 'seq': 9, 'command': 'a\nb'}, 'Invalid command: a\\nb'),
    ],
)
async def test_a_malformed_request_is_answered(wire, frame, message):
    await send(wire, frame)

    answer = await heard(wire)
    assert (answer['success'], answer['request_seq'], answer['message']) == (False, 9, message)
    assert (await asked(wire, 'rrext_ping'))['success'], 'the socket goes on'


@pytest.mark.parametrize('kind', ['response', 'event', 'other', ''])
async def test_what_is_no_request_is_passed_over(wire, kind):
    await send(wire, {'type': kind, 'seq': 1, 'command': 'rrext_deploy_list'})

    assert (await asked(wire, 'rrext_ping', seq=2))['request_seq'] == 2


@pytest.mark.parametrize(
    'frame',
    [
        'text',
        '',
        '[]',
        '7',
        'null',
        '{',
        '{"type":"request","command":"rrext_ping"}',
        '{"type":"request","seq":null,"command":"rrext_ping"}',
        '{"type":"request","seq":"1","command":"rrext_ping"}',
        '{"type":"request","seq":-1,"command":"rrext_ping"}',
        '{"type":"request","seq":1.5,"command":"rrext_ping"}',
        '{"type":"request","seq":1e400,"command":"rrext_ping"}',
        '{"seq":1,"seq":2,"command":"rrext_ping"}',
        '[' * 100_000,
        '{"a":' * 100_000,
        b'\xff\xfe',
        b'\n',
        b'\n{}',
        b'\x00' * 1000,
    ],
)
async def test_what_cannot_be_answered_is_closed(wire, frame):
    await send(wire, frame)

    code, reason = await closed_with(wire)
    assert code == 1007 and reason


async def test_noise_does_no_harm(plane, open_socket):
    for size in [1, 10, 1000, 100_000]:
        for kind in [bytes, lambda noise: noise.decode('latin1')]:
            wire = await open_socket()
            assert (await asked(wire, 'auth', auth=plane.key))['success']
            await send(wire, kind(os.urandom(size)))
            assert (await closed_with(wire))[0] == 1007


@pytest.mark.parametrize('command', ['rrext_ping', 'rrext_deploy_list', 'deauth', 'rrext_nothing', 'x'])
async def test_before_the_login_everything_else_is_refused_and_closed(open_socket, command):
    wire = await open_socket()

    answer = await asked(wire, command)

    assert (answer['success'], answer['message']) == (False, 'Not authenticated')
    assert (await closed_with(wire))[0] == 1008


async def test_before_the_login_the_probe_is_served_and_nothing_else_of_its_kind(open_socket):
    wire = await open_socket()

    assert (await asked(wire, 'rrext_public_probe'))['success']
    assert (await asked(wire, 'rrext_public_more'))['message'] == 'Invalid command: rrext_public_more'


@pytest.mark.parametrize(
    'auth, message',
    [
        (None, 'No authorization provided'),
        ('', 'No authorization provided'),
        ('   ', 'No authorization provided'),
        ('Bearer', 'No authorization provided'),
        ('Bearer ', 'No authorization provided'),
        ('x', 'Invalid API key'),
        (7, 'Invalid API key'),
        ({}, 'Invalid API key'),
    ],
)
async def test_a_refused_login_is_answered_first_and_then_closed(open_socket, auth, message):
    wire = await open_socket()

    answer = await asked(wire, 'auth', auth=auth)

    assert (answer['success'], answer['message']) == (False, message)
    assert (await closed_with(wire))[0] == 1008


async def test_a_login_without_a_credential_is_refused(open_socket):
    wire = await open_socket()

    assert (await asked(wire, 'auth'))['message'] == 'No authorization provided'


async def test_a_socket_may_log_in_five_times(plane, wire):
    for _ in range(4):
        assert (await asked(wire, 'auth', auth=plane.key))['success']

    assert (await asked(wire, 'auth', auth=plane.key))['message'] == 'Too many authentication attempts'
    assert (await closed_with(wire))[0] == 1008


async def test_requests_belong_to_the_login_before_them(plane, open_socket):
    """Nothing waits for an answer here: the order of the frames decides."""
    wire = await open_socket()
    other = plane.key_of('carl')
    frames = [
        request('auth', 1, auth=plane.key),
        request('rrext_dashboard', 2),
        request('deauth', 3),
        request('auth', 4, auth=other),
        request('rrext_dashboard', 5),
    ]
    for frame in frames:
        await send(wire, frame)

    answers = {answer['request_seq']: answer for answer in [await heard(wire) for _ in frames]}

    assert all(answer['success'] for answer in answers.values()), answers
    assert answers[1]['body']['userId'] == 'dev' and answers[4]['body']['userId'] == 'carl'
    assert {connection['clientId'] for connection in answers[5]['body']['connections']} == {'carl'}


async def test_a_failed_login_takes_the_one_before_it_away(plane, wire):
    await send(wire, request('auth', 2, auth='wrong'))
    await send(wire, request('rrext_deploy_list', 3))

    answers = {answer['request_seq']: answer for answer in [await heard(wire)]}

    assert answers[2]['message'] == 'Invalid API key'
    code, _ = await closed_with(wire)
    assert code == 1008


async def test_a_large_frame_before_the_login_is_closed(open_socket):
    wire = await open_socket()

    await send(wire, request('auth', auth='x' * 100_000))

    assert (await closed_with(wire))[0] == 1009


async def test_the_eleventh_stranger_waits_until_another_logs_in(plane_of_its_own):
    plane = plane_of_its_own
    async with contextlib.AsyncExitStack() as stack:
        strangers = [await stack.enter_async_context(socket(plane)) for _ in range(10)]
        for stranger in strangers:
            assert (await asked(stranger, 'rrext_public_probe'))['success']

        eleventh = await stack.enter_async_context(socket(plane))
        probe = asyncio.ensure_future(asked(eleventh, 'rrext_public_probe'))
        done, _ = await asyncio.wait([probe], timeout=0.5)
        assert not done

        assert (await asked(strangers[0], 'auth', auth=plane.key))['success']
        assert (await probe)['success']


async def test_strangers_give_their_places_up(plane_of_its_own):
    plane = plane_of_its_own
    for _ in range(30):
        async with socket(plane) as stranger:
            assert (await asked(stranger, 'rrext_public_probe'))['success']


async def test_pages_of_other_hosts_may_not_connect(plane, open_socket):
    for origin in ['https://evil.example', 'http://127.0.0.1:1', 'null', 'x', 'file://']:
        with pytest.raises(websockets.InvalidStatus) as refused:
            await open_socket(origin=origin)
        assert refused.value.response.status_code == 403, origin
        assert json.loads(refused.value.response.body)['code'] == 'permission_denied'

    wire = await open_socket(origin=plane.url)
    assert (await asked(wire, 'rrext_public_probe'))['success']


async def test_plain_http_receives_a_hint(plane):
    with pytest.raises(urllib.error.HTTPError) as refused:
        await asyncio.to_thread(urllib.request.urlopen, plane.url + '/task/service', timeout=PATIENCE)

    assert refused.value.code == 400
    assert 'WebSocket' in json.load(refused.value)['message']


async def test_a_plane_that_stops_says_so(plane_of_its_own):
    plane = plane_of_its_own
    async with socket(plane) as wire:
        assert (await asked(wire, 'auth', auth=plane.key))['success']

        await asyncio.to_thread(plane.stop)

        assert (await closed_with(wire))[0] == 1001
    assert plane.process.returncode == 0


async def test_what_was_asked_before_the_stop_is_answered(plane_of_its_own):
    plane = plane_of_its_own
    async with socket(plane) as wire:
        assert (await asked(wire, 'auth', auth=plane.key))['success']
        for number in range(20):
            await send(wire, request('rrext_deploy_add', number, pipeline=echo(f'p{number}', x='x' * 100_000)))
        assert (await heard(wire))['success']

        stopping = asyncio.create_task(asyncio.to_thread(plane.stop))
        answered = 1
        with pytest.raises(websockets.ConnectionClosed):
            while True:
                assert (await heard(wire))['success']
                answered += 1
        await stopping

    plane.start()
    _, listed = plane.http('GET', '/v1/deployments')
    assert wire.close_code == 1001 and len(listed['items']) == answered


async def test_a_frame_beyond_the_limit_is_closed(plane):
    """Only its head is sent, which holds the length."""
    host, port = plane.url.removeprefix('http://').split(':')
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(
        f'GET /task/service HTTP/1.1\r\nhost: {host}:{port}\r\nupgrade: websocket\r\nconnection: upgrade\r\n'
        'sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\nsec-websocket-version: 13\r\n\r\n'.encode()
    )
    await within(reader.readuntil(b'\r\n\r\n'))
    writer.write(b'\x81\xff' + struct.pack('>Q', 251 * 1024 * 1024) + b'\x00' * 4 + b'x' * 100)

    head = await within(reader.readexactly(4))

    assert head[0] == 0x88 and struct.unpack('>H', head[2:])[0] == 1009
    writer.close()


async def test_the_plane_pings(plane):
    pings = 0

    class Counting(websockets.asyncio.client.ClientConnection):
        def process_event(self, event):
            nonlocal pings
            pings += getattr(event, 'opcode', None) == websockets.frames.Opcode.PING
            super().process_event(event)

    async with socket(plane, create_connection=Counting) as wire:
        assert (await asked(wire, 'auth', auth=plane.key))['success']
        await asyncio.sleep(6)

    assert pings >= 1


async def test_the_log_has_no_key_and_no_argument(plane_of_its_own):
    plane = plane_of_its_own
    async with socket(plane) as wire:
        assert (await asked(wire, 'auth', auth=plane.key))['success']
        await asked(wire, 'rrext_deploy_add', pipeline=echo('p', name='s3cret-value'))
        await asked(wire, 'rrext_deploy_add', pipeline='s3cret-value', env={'ROCKETRIDE_X': 's3cret-value'})
    async with socket(plane) as wire:
        await asked(wire, 'auth', auth='s3cret-value')

    await asyncio.to_thread(plane.stop)

    assert plane.key not in plane.said() and 's3cret-value' not in plane.said()
