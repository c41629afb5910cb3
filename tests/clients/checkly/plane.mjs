// A plane of the debug binary, in a folder of its own.

import { spawn, execFile } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'

const ROOT = path.resolve(import.meta.dirname, '../../..')
const BINARY = process.env.TIDEMILL_BINARY ?? path.join(ROOT, 'target/debug/tidemill')

export class Plane {
  static async start() {
    const plane = new Plane()
    plane.folder = await mkdtemp(path.join(tmpdir(), 'checkly-plane-'))
    plane.listen = '127.0.0.1:0'
    await plane.start()
    return plane
  }

  async start() {
    const args = ['dev', '--data', path.join(this.folder, 'data'), '--listen', this.listen]
    this.process = spawn(BINARY, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    this.process.stderr.pipe(createWriteStream(path.join(this.folder, 'log'), { flags: 'a' }))
    for await (const line of createInterface({ input: this.process.stdout })) {
      const ready = /^ready (http:\/\/(\S+))$/.exec(line)
      if (ready) {
        ;[, this.url, this.listen] = ready
        break
      }
    }
    if (!this.url) throw new Error(`the plane did not start: ${await this.said()}`)
    this.key = (await readFile(path.join(this.folder, 'data/key'), 'utf8')).trim()
  }

  /** Ends the process, by default as a crash does. */
  async kill(signal = 'SIGKILL') {
    const gone = once(this.process, 'exit')
    this.process.kill(signal)
    await gone
  }

  /** Ends it for good. Its log must not hold a failure. */
  async stop() {
    await this.kill('SIGTERM')
    const said = await this.said()
    await rm(this.folder, { recursive: true })
    if (/ERROR|panicked/.test(said)) throw new Error(said)
  }

  said() {
    return readFile(path.join(this.folder, 'log'), 'utf8')
  }

  /** A key of an owner, as the operator makes it. */
  async keyOf(owner) {
    const args = ['keys', 'create', '--owner', owner, '--data', path.join(this.folder, 'data'), '--json']
    const { stdout } = await promisify(execFile)(BINARY, args)
    return JSON.parse(stdout).key
  }

  /** A call of the HTTP API: its status and its answer. */
  async ask(method, where, { key = this.key, body, headers = {} } = {}) {
    const answer = await fetch(this.url + where, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    })
    return { status: answer.status, body: await answer.json() }
  }
}
