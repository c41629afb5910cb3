// How a deploy is followed, by the client's own REST module: growing percentages, and streams that are cut anywhere.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { clientOf, errors, ProjectDeployFailedError } from './client.mjs'
import { Plane } from './plane.mjs'
import { echo } from './project.mjs'
import { Proxy } from './proxy.mjs'

let plane
before(async () => (plane = await Plane.start()))
after(() => plane.stop())

function project(logicalId, count, word) {
  const resources = Array.from({ length: count }, (_, number) => ({
    logicalId: `pl-${number}`,
    type: 'pipeline',
    member: true,
    payload: { name: `${word} ${number}`, pipeline: { ...echo(`${logicalId}-${number}`), word } },
  }))
  return { project: { logicalId, name: 'Demo' }, sharedFiles: [], resources, repoInfo: null }
}

/** A client behind a proxy that cuts its streams. */
async function cutting(t, cut) {
  const proxy = await Proxy.start(plane, cut)
  t.after(() => proxy.stop())
  return { proxy, client: clientOf(plane.key, proxy.url) }
}

test('percentages grow while a deploy goes on', async t => {
  const { client } = await cutting(t)
  const percentages = []

  const { data } = await client.deploy(project('grows', 600), { onProgress: progress => percentages.push(progress) })

  t.diagnostic(`percentages: ${percentages.join(' ')}`)
  const distinct = [...new Set(percentages)]
  assert.ok(distinct.length >= 5, `${distinct}`)
  assert.deepEqual(percentages, percentages.toSorted((a, b) => a - b))
  assert.equal(data.diff.length, 600)
})

for (const end of ['reset', 'fin', 'eof']) {
  test(`a stream that ends by ${end} after each of its frames is taken up again`, async t => {
    // The first five streams are cut after one frame more each, and the sixth is not: the client comes again five times.
    const { client, proxy } = await cutting(t, stream => (stream <= 5 ? { frames: stream - 1, end } : undefined))
    const percentages = []

    const { data } = await client.deploy(project(`cut-${end}`, 400), { onProgress: progress => percentages.push(progress) })

    assert.equal(data.diff.length, 400)
    assert.ok(proxy.streams >= 2, `${proxy.streams} streams`)
    assert.deepEqual(percentages, percentages.toSorted((a, b) => a - b))
  })

  test(`a stream that ends by ${end} inside of any frame is taken up again`, async t => {
    const { client, proxy } = await cutting(t, stream => (stream <= 5 ? { frames: 0, bytes: stream * 11, end } : undefined))

    const { data } = await client.deploy(project(`torn-${end}`, 50))

    assert.equal(data.diff.length, 50)
    assert.equal(proxy.streams, 6)
  })
}

test('a final deployment is reported at once, however often its stream was cut before', async t => {
  const quiet = await cutting(t)
  await quiet.client.deploy(project('final', 3))
  const { body } = await plane.ask('GET', '/v1/projects/final/deployments')
  const [{ id }] = body.items
  const whole = Buffer.byteLength(await (await followed('final', id)).text())
  // At every byte of the last frame: as often as the client comes again.
  for (let bytes = 0; bytes < whole; bytes += Math.ceil(whole / 20)) {
    const { client, proxy } = await cutting(t, stream => (stream <= 5 ? { frames: 0, bytes, end: 'fin' } : undefined))
    const completed = await client.streamDeploymentEvents('final', id)
    assert.deepEqual([completed.status, proxy.streams], ['SUCCEEDED', 6], `${bytes} bytes`)
  }
})

test('text of any language arrives whole, whatever it is cut into', async t => {
  const { client } = await cutting(t)
  const sent = project('name', 1)
  sent.project.name = 'Pipelines für Grüße 🌊'

  const { data } = await client.deploy(sent)

  assert.equal(data.project.name, 'Pipelines für Grüße 🌊')
  const { body } = await plane.ask('GET', '/v1/projects/name/deployments')
  const bytes = Buffer.from(await (await followed('name', body.items[0].id)).arrayBuffer())
  assert.ok(bytes.every(byte => byte < 128))
})

test('refusals are errors of their kinds', async () => {
  const client = clientOf(plane.key, plane.url)

  await assert.rejects(client.deploy({ ...project('x', 1), resources: 7 }), errors.ValidationError)
  await assert.rejects(client.getDeployment('x', '01KAFZ7Q3M8T5V2N9R4C6W1XDB'), errors.NotFoundError)
  await assert.rejects(client.streamDeploymentEvents('x', '01KAFZ7Q3M8T5V2N9R4C6W1XDB'), errors.NotFoundError)
  await assert.rejects(client.awaitDeploymentCompletion('x', 'nothing'), errors.NotFoundError)
  await assert.rejects(clientOf('tm_local_nothing', plane.url).deploy(project('x', 1)), errors.UnauthorizedError)
  await assert.rejects(client.streamDeploymentEvents('x', 'y'), errors.UnauthorizedError)
  const large = project('x', 1)
  large.resources[0].payload.pipeline.word = ' '.repeat(33 * 1024 * 1024)
  await assert.rejects(clientOf(plane.key, plane.url).deploy(large), errors.PayloadTooLargeError)
})

test('what cannot run is refused with its reason', async () => {
  const client = clientOf(plane.key, plane.url)
  const sent = project('refused', 2)
  sent.resources[1].payload.schedule = 'now and then'

  await assert.rejects(client.deploy(sent), error => {
    assert.ok(error instanceof errors.ValidationError, error)
    assert.match(error.message, /`pl-1`: schedule `now and then`/)
    return true
  })
})

test('a failure is reported with its reason', async () => {
  const client = clientOf(plane.key, plane.url)
  const owner = project('owner', 1)
  owner.resources[0].payload.pipeline = echo('fails-1')
  await client.deploy(owner)

  await assert.rejects(client.deploy(project('fails', 2)), error => {
    assert.ok(error instanceof ProjectDeployFailedError, error)
    assert.match(error.message, /`fails-1`.*`owner`/)
    return true
  })
})

function followed(logicalId, id) {
  const where = `${plane.url}/v1/projects/${logicalId}/deployments/${id}/events`
  return fetch(where, { headers: { authorization: `Bearer ${plane.key}` } })
}
