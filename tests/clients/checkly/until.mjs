import { setTimeout as sleep } from 'node:timers/promises'

/** Waits until something is so. */
export async function until(is, seconds = 60) {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; await sleep(10)) {
    if (await is()) return
  }
  throw new Error(`it is not so after ${seconds} s`)
}
