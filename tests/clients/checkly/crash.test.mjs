// The plane is killed while a deploy goes on, and comes back: its followers and those who wait see the end of it.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Plane } from './plane.mjs'
import { Project } from './project.mjs'
import { Proxy } from './proxy.mjs'
import { until } from './until.mjs'

let plane, proxy
before(async () => {
  plane = await Plane.start()
  proxy = await Proxy.start(plane)
})
after(async () => {
  await proxy.stop()
  await plane.stop()
})

test('a deploy goes on where it was when its worker was killed', async t => {
  const project = await Project.of(plane, 'killed', { url: proxy.url })
  t.after(() => project.remove())
  await project.many(1500)
  const deploying = project.started('deploy', '--force', '--output')
  await until(async () => {
    const { body } = await project.ask('GET', `${project.path}/deployments`)
    return body.items?.[0]?.progress > 20
  })

  await plane.kill()
  await plane.start()
  const waiting = project.run('deploy', '--force')
  const ended = await deploying.ended

  assert.equal(ended.code, 0, ended.said)
  assert.equal(ended.said.match(/Pipeline: pl-/g).length, 1500)
  const waited = await waiting
  assert.equal(waited.code, 0, waited.said)
})
