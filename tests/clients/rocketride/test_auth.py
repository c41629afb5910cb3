"""Logging in and out, keys and what they may do."""

import asyncio

import pytest
import rocketride
from conftest import VERSION, ask, call, closed, echo, has_login, within


def refusal():
    """What a refused login is raised as."""
    return rocketride.AuthenticationException


async def test_the_answer_to_a_login_names_the_user(plane):
    client = rocketride.RocketRideClient(uri=plane.url, auth=plane.key)
    result = await within(client.connect())

    assert result['userId'] == 'dev'
    assert result['userToken'] == plane.key
    assert result['organization']['id'] == result['organizations'][0]['id'] == 'dev'
    assert 'task.control' in result['organization']['teams'][0]['permissions']
    assert result['defaultTeam'] == result['devTeam'] == result['organization']['teams'][0]['id']
    assert 'auth' not in result
    await within(client.disconnect())


async def test_the_user_token_is_a_credential(connect, plane):
    first = rocketride.RocketRideClient(uri=plane.url, auth=plane.key)
    token = (await within(first.connect()))['userToken']
    await within(first.disconnect())

    client = await connect(token)

    await within(client.ping())


async def test_a_key_may_have_bearer_before_it(connect, plane):
    client = await connect(f'Bearer {plane.key}')

    await within(client.ping())


@pytest.mark.parametrize(
    'key',
    [
        'nonsense',
        'Bearer nonsense',
        'tm_local_000000000000000000000000000000_000000',
        'tk_0123456789abcdef0123456789abcdef',
        'ü',
        'x' * 10_000,
    ],
)
async def test_a_wrong_key_is_an_authentication_exception(plane, key):
    client = rocketride.RocketRideClient(uri=plane.url, auth=key)
    with pytest.raises(refusal(), match='Invalid API key'):
        await within(client.connect())


async def test_a_key_that_is_almost_right_is_refused(plane):
    client = rocketride.RocketRideClient(uri=plane.url, auth=plane.key[:-1] + ('a' if plane.key[-1] != 'a' else 'b'))
    with pytest.raises(refusal(), match='Invalid API key'):
        await within(client.connect())


async def test_a_revoked_key_is_refused(plane):
    key = plane.new_key()
    plane.revoke(key)

    client = rocketride.RocketRideClient(uri=plane.url, auth=key['key'])
    with pytest.raises(refusal(), match='Invalid API key'):
        await within(client.connect())


async def test_a_key_that_is_revoked_can_do_nothing_more(plane, connect):
    key = plane.new_key()
    client = await connect(key['key'])
    await within(client.ping())

    plane.revoke(key)

    answer = await ask(client, 'rrext_deploy_list')
    assert answer['success'] is False
    assert 'not valid' in answer['message']
    await closed(client)


@has_login
async def test_a_client_logs_out_and_in_on_one_socket(plane):
    client = rocketride.RocketRideClient(uri=plane.url, auth=plane.key)
    await within(client.connect())
    for _ in range(3):
        await within(client.logout())
        assert client.is_attached() and not client.is_authenticated()
        await within(client.login(plane.key))
        await within(client.ping())
    await within(client.disconnect())


@has_login
async def test_a_client_changes_its_user_on_one_socket(plane):
    other = plane.new_key('task.monitor')
    client = rocketride.RocketRideClient(uri=plane.url, auth=plane.key)
    await within(client.connect())

    result = await within(client.login(other['key']))

    assert result['organization']['teams'][0]['permissions'] == ['task.monitor']
    answer = await ask(client, 'rrext_deploy_add', {'pipeline': echo('x')})
    assert answer['message'] == "Permission 'task.control' denied"
    await within(client.disconnect())


@has_login
async def test_a_request_without_a_login_is_refused_and_the_socket_closed(plane):
    client = rocketride.RocketRideClient(uri=plane.url, auth=plane.key)
    await within(client.attach())

    answer = await ask(client, 'rrext_deploy_list')

    assert answer['success'] is False and answer['message'] == 'Not authenticated'
    with pytest.raises(Exception):
        for _ in range(100):
            await ask(client, 'rrext_ping')
            await asyncio.sleep(0.05)
    await within(client.detach())


@has_login
async def test_the_probe_needs_no_login(plane):
    client = rocketride.RocketRideClient(uri=plane.url, auth=plane.key)
    await within(client.attach())

    info = await call(client, 'rrext_public_probe')

    assert info['capabilities'] == ['oss']
    await within(client.login(plane.key))
    await within(client.ping())
    await within(client.disconnect())


@has_login
async def test_a_connection_without_a_login_is_closed_after_five_seconds(plane):
    client = rocketride.RocketRideClient(uri=plane.url, auth=plane.key)
    await within(client.attach())
    await asyncio.sleep(4)
    assert client.is_attached()

    await asyncio.sleep(2)

    assert not client.is_attached()


ALLOWED = {
    'rrext_deploy_add': 'task.control',
    'rrext_deploy_remove': 'task.control',
    'rrext_deploy_update': 'task.control',
    'rrext_deploy_list': 'task.monitor',
    'rrext_deploy_status': 'task.monitor',
    'rrext_dashboard': 'task.monitor',
}


@pytest.mark.parametrize('command', ALLOWED)
async def test_a_key_without_the_permission_is_refused_before_anything_else(plane, connect, command):
    scope = ALLOWED[command]
    key = plane.new_key(*({'task.control', 'task.monitor', 'task.data'} - {scope}))
    client = await connect(key['key'])

    answer = await ask(client, command, {})

    assert answer['success'] is False
    assert answer['message'] == f"Permission '{scope}' denied"
    if VERSION >= '1.5':
        assert answer['code'] == 'PERMISSION_DENIED'


@pytest.mark.parametrize('command', ['rrext_ping', 'rrext_services', 'rrext_identify'])
async def test_some_commands_need_no_permission(plane, connect, command):
    client = await connect(plane.new_key('task.data')['key'])

    assert (await ask(client, command))['success'] is True


async def test_admin_may_do_everything(plane, connect, project):
    client = await connect(plane.new_key('admin')['key'])

    await call(client, 'rrext_deploy_add', pipeline=echo(project))

    assert (await call(client, 'rrext_deploy_status', projectId=project))['userId'] == 'dev'
