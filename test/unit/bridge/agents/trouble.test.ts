import { expect, it } from 'vitest'
import { AppError } from '../../../../src/base/index.ts'
import type { RouterRow } from '../../../../src/bridge/agents/router-rows.ts'
import { troubleText } from '../../../../src/bridge/agents/trouble.ts'
import { RouterOsError } from '../../../../src/routeros/index.ts'
import { AgentError } from '../../../../src/usp/index.ts'

const ROW: RouterRow = {
  id: 'r1',
  address: '192.0.2.1',
  port: 8729,
  transport: 'api-ssl',
  policy: 'L1',
  tags: [],
  mqtt: false,
  revision: 1,
  login: { username: 'isthmus', password: 'secret-word' },
}

it.each([
  [
    'a reading that a router has not answered',
    new AgentError(7003, 'the router did not answer /interface'),
    /the router, its/,
  ],
  ['a connection that is refused', new RouterOsError('unreachable', 'the port is closed'), /firewalls/],
  ['a login that is refused', new RouterOsError('login', 'invalid user name or password'), /user isthmus/],
  ['a decision of the server', new AppError('conflict', 'another bridge speaks for it'), /another bridge/],
  ['a fault of the bridge itself', new Error('no such file'), /the bridge failed/],
])('%s is a sentence to act on, and no fault of another', (_name, error, told) => {
  const text = troubleText(error, ROW)
  expect(text).toMatch(told)
  expect(text).not.toContain('secret-word')
  if (error instanceof AgentError) expect(text).toMatch(/^192\.0\.2\.1 port 8729: the router did not answer/)
})
