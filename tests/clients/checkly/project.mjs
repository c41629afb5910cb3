// A project of Checkly's, as a user has it in a folder, and the command that deploys it.

import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'

// The folder that the client is installed in: a project finds `checkly/constructs` from there.
const INSTALLED = process.env.CHECKLY_INSTALLED
const COMMAND = path.join(INSTALLED, 'node_modules/checkly/bin/run.cjs')

/** The user's own construct: a pipeline under the type that clients know how to show. */
const CONSTRUCT = `
import { Check, Session } from 'checkly/constructs'

export class Pipeline extends Check {
  constructor(logicalId, { name, pipeline, schedule, timezone }) {
    super(logicalId, { name })
    Object.assign(this, { pipeline, schedule, timezone })
    Session.registerConstruct(this)
  }

  synthesize() {
    const { name, pipeline, schedule, timezone } = this
    return { checkType: 'PIPELINE', name, pipeline, schedule, timezone }
  }
}
`

/** The same under its own type. Clients know no such type: it goes in the place of a dashboard until it is sent. */
const CONSTRUCT_OF_ITS_OWN_TYPE = `
import { Dashboard, Session } from 'checkly/constructs'

export class Pipeline extends Dashboard {
  constructor(logicalId, { name, pipeline, schedule }) {
    super(logicalId, { customUrl: logicalId })
    Object.assign(this, { name, pipeline, schedule })
    Session.project.data.pipeline ??= {}
    Session.project.data.pipeline[logicalId] = this
  }

  async bundle() {
    // The client keeps what is bundled by its type; from then on it is a pipeline.
    setImmediate(() => (this.type = 'pipeline'))
    return { synthesize: () => this.synthesize() }
  }

  synthesize() {
    const { name, pipeline, schedule } = this
    return { name, pipeline, schedule }
  }
}
`

/** A pipeline that waits for a webhook and answers. */
export function echo(project) {
  return {
    project_id: project,
    source: 'webhook_1',
    components: [
      { id: 'webhook_1', provider: 'webhook', config: {} },
      { id: 'response_1', provider: 'response', config: {}, input: [{ lane: 'text', from: 'webhook_1' }] },
    ],
  }
}

export class Project {
  /** A project in a folder of its own, for an owner of its own. */
  static async of(plane, logicalId, { owner, url = plane.url, ownType = false, variables = {} } = {}) {
    const project = new Project()
    project.plane = plane
    project.logicalId = logicalId
    project.url = url
    project.variables = variables
    project.key = await plane.keyOf(owner ?? `owner-${logicalId.replaceAll(/[^a-z0-9]/g, '-')}`)
    await mkdir(path.join(INSTALLED, 'projects'), { recursive: true })
    project.folder = await mkdtemp(path.join(INSTALLED, 'projects/project-'))
    await project.write('package.json', JSON.stringify({ name: 'project', type: 'module', private: true }))
    await project.write(
      'checkly.config.mjs',
      `export default ${JSON.stringify({
        projectName: 'Demo',
        logicalId,
        repoUrl: 'https://example.com/team/etl',
        checks: { checkMatch: '**/*.check.mjs' },
      })}`,
    )
    await project.write('pipeline.mjs', ownType ? CONSTRUCT_OF_ITS_OWN_TYPE : CONSTRUCT)
    return project
  }

  /** Makes these the pipelines of the project: by their logical ids, what is given to each. */
  async pipelines(pipelines) {
    const made = Object.entries(pipelines).map(([id, given]) => `new Pipeline(${JSON.stringify(id)}, ${JSON.stringify(given)})`)
    await this.write('all.check.mjs', [`import { Pipeline } from './pipeline.mjs'`, ...made].join('\n'))
  }

  /** Many pipelines, which differ by `word`. */
  async many(count, word = 'one') {
    const given = number => ({ name: `${word} ${number}`, schedule: 'manual', pipeline: { ...echo(`${this.logicalId}-${number}`), word } })
    await this.pipelines(Object.fromEntries(Array.from({ length: count }, (_, number) => [`pl-${number}`, given(number)])))
  }

  /** Runs the command: its exit code and what it has said. */
  async run(...args) {
    return this.started(...args).ended
  }

  /** Starts the command. */
  started(...args) {
    const child = spawn(process.execPath, [COMMAND, ...args], {
      cwd: this.folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env.PATH,
        HOME: this.folder,
        CHECKLY_ENV: 'local',
        CHECKLY_API_URL: this.url,
        CHECKLY_API_KEY: this.key,
        CHECKLY_ACCOUNT_ID: 'account',
        CHECKLY_NO_DOTENV: '1',
        CHECKLY_SKIP_NEW_VERSION_CHECK: 'true',
        ...this.variables,
      },
    })
    let said = ''
    child.stdout.on('data', part => (said += part))
    child.stderr.on('data', part => (said += part))
    const ended = new Promise(resolve => child.on('close', code => resolve({ code, said })))
    return { child, ended }
  }

  ask(method, where, parts = {}) {
    return this.plane.ask(method, where, { key: this.key, ...parts })
  }

  /** Where the project is found. */
  get path() {
    return `/v1/projects/${encodeURIComponent(this.logicalId)}`
  }

  async write(name, text) {
    await writeFile(path.join(this.folder, name), text)
  }

  async remove() {
    await rm(this.folder, { recursive: true })
  }
}
