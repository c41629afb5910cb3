// Stands between a client and the plane: it cuts streams of events at given places, and waits for a plane that is away.

import http from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

export class Proxy {
  /**
   * `cut` is asked for each stream of events, counted from 1: how many frames and bytes of the next one it lets through,
   * and how it ends then, with `reset`, `fin` (inside of the body) or `eof`; nothing to let all of it through.
   */
  static async start(plane, cut = () => undefined) {
    const proxy = new Proxy()
    Object.assign(proxy, { plane, cut, streams: 0, asked: [] })
    proxy.server = http.createServer((request, response) => proxy.pass(request, response))
    await new Promise(resolve => proxy.server.listen(0, '127.0.0.1', resolve))
    proxy.url = `http://127.0.0.1:${proxy.server.address().port}`
    return proxy
  }

  stop() {
    this.server.closeAllConnections()
    return new Promise(resolve => this.server.close(resolve))
  }

  async pass(request, response) {
    this.asked.push(`${request.method} ${request.url}`)
    const parts = []
    for await (const part of request) parts.push(part)
    const answer = await this.forward(request, Buffer.concat(parts))
    response.writeHead(answer.statusCode, answer.headers)
    response.flushHeaders()
    const isStream = answer.headers['content-type'] === 'text/event-stream'
    const cut = isStream ? this.cut(++this.streams) : undefined
    answer.on('error', () => response.destroy())
    answer.on('aborted', () => response.destroy())
    if (cut) this.through(answer, response, cut)
    else answer.pipe(response)
    response.on('close', () => answer.destroy())
  }

  /** Asks the plane, and asks again while it does not listen. */
  async forward({ method, url, headers }, body) {
    const target = new URL(this.plane.url)
    for (let tries = 0; ; tries++) {
      try {
        return await new Promise((resolve, reject) => {
          const { hostname, port } = target
          // The path goes on as it came, to the byte.
          const onwards = http.request({ hostname, port, method, path: url, headers, agent: false }, resolve)
          onwards.on('error', reject)
          onwards.end(body)
        })
      } catch (error) {
        if (error.code !== 'ECONNREFUSED' || tries > 600) throw error
        await sleep(50)
      }
    }
  }

  /** Lets the first frames through, and some bytes of the next one. */
  through(answer, response, { frames, bytes = 0, end = 'eof' }) {
    let received = Buffer.alloc(0)
    let sent = 0
    answer.on('data', part => {
      received = Buffer.concat([received, part])
      let until = 0
      for (let frame = 0; frame < frames; frame++) {
        const next = received.indexOf('\n\n', until)
        if (next < 0) return send(received.length)
        until = next + 2
      }
      until += bytes
      if (received.length < until) return send(received.length)
      send(until)
      answer.destroy()
      // What was written is on its way before the end.
      setTimeout(() => ends[end](), 20)
    })
    answer.on('end', () => response.end())
    const ends = {
      reset: () => response.socket?.resetAndDestroy(),
      fin: () => response.socket?.end(),
      eof: () => response.end(),
    }
    const send = until => {
      if (until > sent) response.write(received.subarray(sent, until))
      sent = Math.max(sent, until)
    }
  }
}
