"""Many clients at once: what can be won once is won once, and nothing is lost."""

import asyncio

import pytest
from conftest import echo, on_schedule, speaks_deploy, within

pytestmark = speaks_deploy


async def many(connect, count):
    return [await connect() for _ in range(count)]


async def outcomes(*works):
    """How many succeeded, and the errors of the others."""
    results = await within(asyncio.gather(*works, return_exceptions=True), 120)
    failures = [result for result in results if isinstance(result, BaseException)]
    assert all(type(failure) is RuntimeError for failure in failures), failures
    return len(results) - len(failures), [str(failure) for failure in failures]


async def test_of_twenty_adds_of_one_project_one_wins(connect, project):
    clients = await many(connect, 20)

    won, errors = await outcomes(
        *(client.deploy.add(pipeline=echo(project, winner=number)) for number, client in enumerate(clients))
    )

    assert won == 1
    assert errors == [f'Deployment already exists: {project}'] * 19
    assert 'winner' in (await within(clients[0].deploy.status(project)))['pipeline']


async def test_of_twenty_adds_on_one_socket_one_wins(client, project):
    won, errors = await outcomes(*(client.deploy.add(pipeline=echo(project, winner=number)) for number in range(20)))

    assert won == 1 and errors == [f'Deployment already exists: {project}'] * 19


async def test_of_fifty_updates_none_is_lost(connect, plane, project):
    clients = await many(connect, 5)
    await within(clients[0].deploy.add(pipeline=echo(project)))

    won, errors = await outcomes(
        *(
            clients[number % 5].deploy.update(project, pipeline=echo(project, number=number))
            for number in range(50)
        )
    )

    assert (won, errors) == (50, [])
    deployment = plane.http('GET', f'/v1/deployments/{project}')[1]
    assert (deployment['version'], deployment['revision']) == (51, 51)
    seen = set()
    for version in range(2, 52):
        seen.add(plane.http('GET', f'/v1/deployments/{project}/versions/{version}')[1]['pipeline']['number'])
    assert seen == set(range(50))


async def test_updates_of_schedule_and_pipeline_at_once_both_stay(client, project):
    await within(client.deploy.add(pipeline=on_schedule(project)))

    won, errors = await outcomes(
        client.deploy.update(project, schedule='@daily'),
        client.deploy.update(project, pipeline=on_schedule(project, name='new')),
    )

    record = await within(client.deploy.status(project))
    assert (won, errors) == (2, [])
    assert record['schedule'] == '@daily' and record['pipeline']['name'] == 'new'


@pytest.mark.parametrize('round', range(5))
async def test_an_update_never_brings_a_removed_project_back(connect, project, round):
    clients = await many(connect, 4)
    await within(clients[0].deploy.add(pipeline=echo(project)))

    await outcomes(
        *(clients[number % 4].deploy.update(project, schedule='@daily') for number in range(10)),
        clients[round % 4].deploy.remove(project),
        *(clients[number % 4].deploy.update(project, pipeline=echo(project, n=number)) for number in range(10)),
    )

    with pytest.raises(RuntimeError):
        await within(clients[0].deploy.status(project))
    await within(clients[1].deploy.add(pipeline=echo(project)))


async def test_of_many_removes_one_wins(connect, project):
    clients = await many(connect, 10)
    await within(clients[0].deploy.add(pipeline=echo(project)))

    won, errors = await outcomes(*(client.deploy.remove(project) for client in clients))

    assert won == 1 and all('does not exist' in text for text in errors)


async def test_a_slow_answer_does_not_hold_up_the_others(client, project):
    large = echo(project, noise='x' * 3_000_000)
    adding = asyncio.create_task(client.deploy.add(pipeline=large))

    for _ in range(20):
        await within(client.ping())

    await within(adding)


async def test_large_pipelines_from_several_clients_at_once(connect, project):
    clients = await many(connect, 4)
    pipelines = [echo(f'{project}-{number}', noise=str(number) * 1_500_000) for number in range(4)]

    won, errors = await outcomes(
        *(client.deploy.add(pipeline=pipeline) for client, pipeline in zip(clients, pipelines))
    )

    assert (won, errors) == (4, [])
    for number, pipeline in enumerate(pipelines):
        record = await within(clients[number - 1].deploy.status(f'{project}-{number}'))
        assert record['pipeline'] == pipeline
        await within(clients[number].deploy.remove(f'{project}-{number}'))
