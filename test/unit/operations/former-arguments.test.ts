import { describe, expect, it } from 'vitest'
import type { OperationRequest, OperationResult } from '../../../src/domain/index.ts'
import { createWorld } from '../../support/operations-world.ts'

const OLD = 'InternetGatewayDevice.IPPingDiagnostics()'
const NEW = 'Device.IP.Diagnostics.IPPing()'
const ping = (input: Record<string, string>, command = NEW): OperationRequest => ({
  verb: 'operate',
  command,
  input: { Host: 'h', ...input },
})

/** Runs requests one after the other. Resolves with the arguments that reached the device, and ends each as `end` says. */
async function sent(
  requests: OperationRequest[],
  protocol: 'cwmp' | 'usp' = 'cwmp',
  end: (n: number) => OperationResult = () => ({ outcome: 'done', results: [] }),
): Promise<unknown[]> {
  const world = createWorld({
    device: { root: protocol === 'usp' ? 'Device.' : 'InternetGatewayDevice.', owner: protocol },
  })
  const inputs: unknown[] = []
  world.peer.execute = async ({ request }, hooks) => {
    await hooks.beforeSend()
    if (request.verb === 'operate') inputs.push(request.input)
    return end(inputs.length)
  }
  for (const request of requests) {
    const operation = await world.submit(request)
    await world.room.contact(world.peer.contact(protocol, { lasting: false }))
    expect(world.operation(operation.id).request).toMatchObject({ input: request.verb === 'operate' && request.input })
  }
  return inputs
}

describe('an argument of a former diagnostic that the next one leaves out', () => {
  const first = { Interface: 'Device.IP.Interface.1', NumberOfRepetitions: '100', DSCP: '46' }

  it('is written with its default, and the operation keeps what was asked for', async () => {
    expect(await sent([ping(first), ping({ DSCP: '0' }), ping({}, OLD)])).toEqual([
      { Host: 'h', ...first },
      { Host: 'h', DSCP: '0', Interface: '', NumberOfRepetitions: '3' },
      { Host: 'h', DSCP: '0', Interface: '', NumberOfRepetitions: '3' },
    ])
  })

  it('stays as it is where no request has set it, or the device refused that', async () => {
    const fault = { code: '9003', text: '', retryable: false }
    const refused = (n: number): OperationResult =>
      n === 1 ? { outcome: 'failed', results: [], error: fault } : { outcome: 'done', results: [] }
    expect(await sent([ping({}), ping({})])).toEqual([{ Host: 'h' }, { Host: 'h' }])
    expect(await sent([ping(first), ping({})], 'cwmp', refused)).toEqual([{ Host: 'h', ...first }, { Host: 'h' }])
  })

  it('is nothing to an Agent, whose commands keep no arguments, nor to another diagnostic', async () => {
    expect(await sent([ping(first), ping({})], 'usp')).toEqual([{ Host: 'h', ...first }, { Host: 'h' }])
    const trace = ping({}, 'Device.IP.Diagnostics.TraceRoute()')
    expect(await sent([ping(first), trace])).toEqual([{ Host: 'h', ...first }, { Host: 'h' }])
  })
})
