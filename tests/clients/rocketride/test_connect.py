"""Connecting, and what needs nothing but a connection."""

import asyncio

import pytest
import rocketride
from conftest import ask, call, closed, echo, within


async def test_a_client_connects_and_pings(connect):
    client = await connect()

    assert client.is_connected()
    await within(client.ping())


@pytest.mark.parametrize('path', ['', '/', '/some/path?x=1'])
async def test_the_path_of_the_uri_does_not_matter(connect, plane, path):
    client = await connect(url=plane.url + path)

    await within(client.ping())


async def test_a_client_disconnects_at_once(plane):
    client = rocketride.RocketRideClient(uri=plane.url, auth=plane.key)
    await within(client.connect())

    await within(client.disconnect(), 5)

    assert not client.is_connected()


@pytest.mark.skipif(not hasattr(rocketride.RocketRideClient, '__aenter__'), reason='is no context manager')
async def test_a_client_can_be_used_as_a_context(plane):
    async with rocketride.RocketRideClient(uri=plane.url, auth=plane.key) as client:
        await within(client.ping())


async def test_a_client_connects_again(plane):
    client = rocketride.RocketRideClient(uri=plane.url, auth=plane.key)
    for _ in range(3):
        await within(client.connect())
        await within(client.ping())
        await within(client.disconnect())


async def test_connecting_to_a_closed_port_fails():
    client = rocketride.RocketRideClient(uri='http://127.0.0.1:1', auth='x')
    with pytest.raises(ConnectionError):
        await within(client.connect())


async def test_answers_come_in_any_order_and_each_to_its_request(client):
    answers = await within(asyncio.gather(*(ask(client, 'rrext_ping') for _ in range(200))))

    assert all(answer['success'] and answer['body'] == {'pong': True} for answer in answers)


@pytest.mark.parametrize(
    'command', ['rrext_nothing', 'rrext_', 'launch', 'attach', 'initialize', 'no such thing', '', 'ünï']
)
async def test_an_unknown_command_is_answered(client, command):
    answer = await ask(client, command)

    assert answer['success'] is False
    assert answer['message'] == f'Invalid command: {command}'


async def test_a_long_name_of_a_command_is_cut(client):
    answer = await ask(client, 'x' * 5000)

    assert answer['message'] == 'Invalid command: ' + 'x' * 80 + '…'


async def test_arguments_nested_too_deep_are_answered(client):
    value = []
    for _ in range(200):
        value = [value]

    answer = await ask(client, 'rrext_validate', {'pipeline': value})

    assert answer['success'] is False
    assert 'nested deeper than' in answer['message']


async def test_a_client_names_itself(client):
    await call(client, 'rrext_identify', clientName='the tests')

    shown = await call(client, 'rrext_dashboard')

    assert 'the tests' in [connection['clientInfo']['name'] for connection in shown['connections']]


async def test_the_dashboard_counts_the_connections(plane_of_its_own, connect):
    plane = plane_of_its_own
    clients = [await connect(plane.key, plane.url) for _ in range(3)]

    shown = await call(clients[0], 'rrext_dashboard')

    assert shown['overview']['totalConnections'] == 3
    assert shown['overview']['activeTasks'] == 0
    assert 0 < shown['overview']['serverUptime'] < 60
    assert len(shown['connections']) == 3 and shown['tasks'] == []
    assert all(connection['authenticated'] for connection in shown['connections'])
    assert plane.key not in str(shown)


async def test_the_probe_describes_the_plane(client):
    info = await call(client, 'rrext_public_probe')

    assert info['capabilities'] == ['oss'] and info['apps'] == []
    assert info['version'] and info['platform'] == 'local'


async def test_asking_for_the_server_logs_in_first(plane, monkeypatch):
    """Every version does, although the probe needs no key."""
    with pytest.raises(rocketride.AuthenticationException, match='No authorization provided'):
        await within(rocketride.RocketRideClient.get_server_info(plane.url))
    monkeypatch.setenv('ROCKETRIDE_APIKEY', plane.key)

    info = await within(rocketride.RocketRideClient.get_server_info(plane.url))

    assert info['capabilities'] == ['oss']


async def test_a_plane_that_stops_notifies_its_clients(plane_of_its_own, connect):
    plane = plane_of_its_own
    client = await connect(plane.key, plane.url)
    await within(client.ping())

    await asyncio.to_thread(plane.stop)

    assert plane.process.returncode == 0
    await closed(client)


async def test_the_commands_are_served_after_a_restart(plane_of_its_own, connect):
    plane = plane_of_its_own
    client = await connect(plane.key, plane.url)
    answer = await ask(client, 'rrext_deploy_add', {'pipeline': echo('kept')})
    assert answer['success'], answer

    await asyncio.to_thread(plane.stop)
    await asyncio.to_thread(plane.start)

    client = await connect(plane.key, plane.url)
    assert (await call(client, 'rrext_deploy_status', projectId='kept'))['pipeline'] == echo('kept')
