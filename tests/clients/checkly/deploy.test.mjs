// `checkly deploy` and `checkly destroy`, the whole command.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Plane } from './plane.mjs'
import { Project, echo } from './project.mjs'

let plane
before(async () => (plane = await Plane.start()))
after(() => plane.stop())

const waiting = project => ({ name: project, schedule: 'manual', pipeline: echo(project) })
const ids = count => Array.from({ length: count }, (_, number) => `pl-${number}`)

test('a project is deployed, changed and destroyed', async t => {
  const project = await Project.of(plane, 'etl')
  t.after(() => project.remove())
  await project.pipelines({ one: waiting('p-1'), two: waiting('p-2') })

  const deployed = await project.run('deploy', '--force', '--output', '--verbose')
  assert.equal(deployed.code, 0, deployed.said)
  assert.match(deployed.said, /Create:\s+Pipeline: one\s+name: p-1\s+id: p-1\s+Pipeline: two/)
  assert.match(deployed.said, /Successfully deployed project "Demo" to account "owner-etl"/)
  assert.equal((await project.ask('GET', '/v1/deployments/p-1')).body.state, 'active')

  await project.pipelines({ two: waiting('p-2'), three: waiting('p-3') })
  const previewed = await project.run('deploy', '--preview')
  assert.equal(previewed.code, 0, previewed.said)
  assert.match(previewed.said, /Create:\s+Pipeline: three[^]*Delete:\s+Check: one[^]*Update and Unchanged:\s+Pipeline: two/)
  assert.equal((await project.ask('GET', '/v1/deployments/p-3')).status, 404)

  const changed = await project.run('deploy', '--force', '--output')
  assert.equal(changed.code, 0, changed.said)
  assert.equal((await project.ask('GET', '/v1/deployments/p-1')).status, 404)
  assert.equal((await project.ask('GET', '/v1/deployments/p-3')).status, 200)

  const destroyed = await project.run('destroy', '--force')
  assert.equal(destroyed.code, 0, destroyed.said)
  assert.match(destroyed.said, /have been successfully deleted/)
  assert.equal((await project.ask('GET', '/v1/deployments/p-2')).status, 404)

  const again = await project.run('destroy', '--force')
  assert.equal(again.code, 0, again.said)
})

test('what is removed from code is kept when that is asked for', async t => {
  const project = await Project.of(plane, 'kept')
  t.after(() => project.remove())
  await project.pipelines({ one: waiting('p-1'), two: waiting('p-2') })
  assert.equal((await project.run('deploy', '--force')).code, 0)

  await project.pipelines({ two: waiting('p-2') })
  const deployed = await project.run('deploy', '--force', '--preserve-resources', '--output')

  assert.equal(deployed.code, 0, deployed.said)
  assert.match(deployed.said, /Kept in your Checkly account[^]*Check: one/)
  assert.equal((await project.ask('GET', '/v1/deployments/p-1')).body.state, 'active')
})

test('the commit and the pull request of a deploy stay with its versions', async t => {
  const variables = {
    CHECKLY_REPO_SHA: '0a1b2c3',
    CHECKLY_REPO_BRANCH: 'count-by-hour',
    CHECKLY_REPO_COMMIT_OWNER: 'Ana',
    CHECKLY_REPO_COMMIT_MESSAGE: 'Count by hour',
    CHECKLY_GITHUB_REPORT: 'true',
    CHECKLY_GITHUB_PULL_REQUEST_NUMBER: '42',
  }
  const project = await Project.of(plane, 'of-a-commit', { variables })
  t.after(() => project.remove())
  await project.pipelines({ one: waiting('p-1') })

  const deployed = await project.run('deploy', '--force')

  assert.equal(deployed.code, 0, deployed.said)
  assert.deepEqual((await project.ask('GET', '/v1/deployments/p-1/versions/1')).body.git, {
    commit: '0a1b2c3',
    branch: 'count-by-hour',
    message: 'Count by hour',
    author: 'Ana',
    repository: 'https://example.com/team/etl',
    pullRequest: '42',
  })
})

test('pipelines go under a type of their own, too', async t => {
  const project = await Project.of(plane, 'own-type', { ownType: true })
  t.after(() => project.remove())
  await project.pipelines({ one: waiting('p-1') })

  const deployed = await project.run('deploy', '--force', '--output')

  assert.equal(deployed.code, 0, deployed.said)
  assert.match(deployed.said, /Create:\s+Pipeline: one/)
  const { body } = await project.ask('GET', `${project.path}/deployments`)
  const shown = await project.ask('GET', `${project.path}/deployments/${body.items[0].id}`)
  assert.equal(shown.body.result.diff[0].type, 'pipeline')
})

test('ids of projects may hold slashes, hashes and dots', async t => {
  const project = await Project.of(plane, 'team/pw#1.x', { owner: 'slashes' })
  t.after(() => project.remove())
  await project.pipelines({ 'a/b#c.d': waiting('p-1') })

  const deployed = await project.run('deploy', '--force', '--output')
  const destroyed = await project.run('destroy', '--force')

  assert.equal(deployed.code, 0, deployed.said)
  assert.match(deployed.said, /Pipeline: a\/b#c\.d/)
  assert.equal(destroyed.code, 0, destroyed.said)
})

test('a pipeline that cannot run is refused, and the command says why', async t => {
  const project = await Project.of(plane, 'broken')
  t.after(() => project.remove())
  const dangling = { ...echo('p-2'), source: 'nowhere_1' }
  await project.pipelines({ one: waiting('p-1'), two: { name: 'Two', pipeline: dangling } })

  const deployed = await project.run('deploy', '--force')

  assert.equal(deployed.code, 1, deployed.said)
  assert.match(deployed.said, /Your project could not be deployed\./)
  assert.match(deployed.said, /nowhere_1/)
  assert.equal((await project.ask('GET', '/v1/deployments/p-1')).status, 404)
})

test('an invalid key is reported as such', async t => {
  const project = await Project.of(plane, 'nokey')
  t.after(() => project.remove())
  await project.many(1)
  project.key = 'tm_local_nothing'

  const deployed = await project.run('deploy', '--force')

  assert.equal(deployed.code, 1, deployed.said)
  assert.match(deployed.said, /Authentication failed with account id "account"/)
})

test('some hundred pipelines are deployed by one command', async t => {
  const project = await Project.of(plane, 'many')
  t.after(() => project.remove())
  await project.many(300)

  const deployed = await project.run('deploy', '--force', '--output')

  assert.equal(deployed.code, 0, deployed.said)
  assert.equal(deployed.said.match(/Pipeline: pl-/g).length, ids(300).length)
})
