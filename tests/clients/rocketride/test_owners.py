"""Two owners on one plane: neither sees nor moves what the other has."""

import asyncio

import pytest
from conftest import call, echo, on_schedule, speaks_deploy, within

pytestmark = speaks_deploy


@pytest.fixture
async def ana(connect, plane):
    return await connect(plane.key_of('ana'))


@pytest.fixture
async def bob(connect, plane):
    return await connect(plane.key_of('bob'))


async def test_two_owners_may_use_one_project_id(ana, bob, project):
    of_ana = await within(ana.deploy.add(pipeline=on_schedule(project, of='ana'), schedule='@daily'))
    of_bob = await within(bob.deploy.add(pipeline=on_schedule(project, of='bob'), schedule='@hourly'))

    assert (of_ana['userId'], of_bob['userId']) == ('ana', 'bob')
    await within(ana.deploy.remove(project))
    assert await within(bob.deploy.status(project)) == of_bob


async def test_two_owners_add_one_project_id_at_once(ana, bob, project):
    added = await within(
        asyncio.gather(*(client.deploy.add(pipeline=echo(project)) for client in (ana, bob))), 60
    )

    assert [record['userId'] for record in added] == ['ana', 'bob']


async def test_no_owner_sees_what_belongs_to_another(ana, bob, project):
    await within(ana.deploy.add(pipeline=echo(project)))

    assert project not in [record['pipeline']['project_id'] for record in await within(bob.deploy.list())]
    for method in ['status', 'remove', 'update']:
        with pytest.raises(RuntimeError, match='does not exist'):
            await within(getattr(bob.deploy, method)(project))
    assert (await within(ana.deploy.status(project)))['state'] == 'active'


@pytest.mark.parametrize('path', ['../../ana/deployments/{}', '../ana/{}', 'ana/{}', 'ana#{}', '/ana/{}', 'ana%2f{}'])
async def test_no_name_leads_to_another_owner(ana, bob, project, path):
    before = await within(ana.deploy.add(pipeline=echo(project)))
    name = path.format(project)

    for method in ['status', 'remove', 'update']:
        with pytest.raises(RuntimeError, match='does not exist'):
            await within(getattr(bob.deploy, method)(name))
    await within(bob.deploy.add(pipeline=echo(name)))
    await within(bob.deploy.remove(name))

    assert await within(ana.deploy.status(project)) == before


async def test_a_pipeline_does_not_change_who_owns_it(ana, bob, project):
    record = await within(ana.deploy.add(pipeline=echo(project, userId='bob', owner='bob')))

    assert record['userId'] == 'ana'
    with pytest.raises(RuntimeError):
        await within(bob.deploy.status(project))


async def test_the_dashboard_shows_only_ones_own(ana, bob):
    shown = await call(ana, 'rrext_dashboard')

    assert {connection['clientId'] for connection in shown['connections']} == {'ana'}


async def test_a_request_cannot_name_another_owner(ana, bob, project):
    await within(ana.deploy.add(pipeline=echo(project)))

    with pytest.raises(RuntimeError):
        await within(bob.call('rrext_deploy_status', projectId=project, userId='ana', teamId='ana'))
