// Two deploys of one project: the second waits for the first, or cancels it.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Plane } from './plane.mjs'
import { Project } from './project.mjs'
import { until } from './until.mjs'

const MANY = 1500

let plane
before(async () => (plane = await Plane.start()))
after(() => plane.stop())

/** A project with a deploy that goes on. */
async function busy(t, logicalId) {
  const project = await Project.of(plane, logicalId)
  t.after(() => project.remove())
  await project.many(MANY, 'first')
  const first = project.started('deploy', '--force')
  await until(async () => (await deployments(project)).some(({ status }) => status === 'RUNNING'))
  return { project, first }
}

async function deployments(project) {
  const { status, body } = await project.ask('GET', `${project.path}/deployments`)
  return status === 404 ? [] : body.items
}

test('a second deploy waits until the first is done, and then deploys', async t => {
  const { project, first } = await busy(t, 'waits')
  await project.many(2, 'second')

  const second = await project.run('deploy', '--force')
  const ended = await first.ended

  assert.equal(ended.code, 0, ended.said)
  assert.equal(second.code, 0, second.said)
  assert.match(second.said, /Waiting for an in-progress deployment to finish/)
  const [last, earlier] = await deployments(project)
  assert.deepEqual([last.status, earlier.status], ['SUCCEEDED', 'SUCCEEDED'])
  assert.ok(last.startedAt >= earlier.endedAt)
})

test('a second deploy that cancels the first is deployed, and the first says that it was cancelled', async t => {
  const { project, first } = await busy(t, 'cancels')
  await project.many(2, 'second')

  const second = await project.run('deploy', '--force', '--cancel-in-progress-deployment')
  const ended = await first.ended

  assert.equal(ended.code, 1, ended.said)
  assert.match(ended.said, /Your deployment was cancelled\./)
  assert.equal(second.code, 0, second.said)
  assert.match(second.said, /Cancelling an in-progress deployment/)
  const [last, earlier] = await deployments(project)
  assert.deepEqual([last.status, earlier.status], ['SUCCEEDED', 'CANCELLED'])
})

test('a preview is shown while a deploy is in progress, and a destroy waits for it', async t => {
  const { project, first } = await busy(t, 'destroyed')
  await project.many(1, 'second')

  const previewed = await project.run('deploy', '--preview')
  const goesOn = (await deployments(project))[0].status
  const destroyed = await project.run('destroy', '--force')

  assert.equal(previewed.code, 0, previewed.said)
  assert.equal(goesOn, 'RUNNING')
  assert.equal(destroyed.code, 0, destroyed.said)
  assert.equal((await first.ended).code, 0)
})
