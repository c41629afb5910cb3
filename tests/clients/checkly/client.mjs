// The part of the client that speaks HTTP, as its commands use it.

import path from 'node:path'
import { pathToFileURL } from 'node:url'

Object.assign(process.env, {
  CHECKLY_ENV: 'local',
  CHECKLY_API_KEY: 'none',
  CHECKLY_ACCOUNT_ID: 'account',
  CHECKLY_NO_DOTENV: '1',
})

const dist = path.join(process.env.CHECKLY_INSTALLED, 'node_modules/checkly/dist/rest')
const { api, projects } = await import(pathToFileURL(path.join(dist, 'api.js')))
export const errors = await import(pathToFileURL(path.join(dist, 'errors.js')))
const { ProjectDeployFailedError, ProjectDeployCancelledError } = await import(pathToFileURL(path.join(dist, 'projects.js')))
export { ProjectDeployCancelledError, ProjectDeployFailedError }

/** The client, with a key, at an address. */
export function clientOf(key, url) {
  process.env.CHECKLY_API_KEY = key
  api.defaults.baseURL = url
  return projects
}
