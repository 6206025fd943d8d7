import { expect, it } from 'vitest'
import { createLog, type Log, type LogLevel } from '../../src/base/index.ts'
import { startAcs } from '../support/cwmp-acs.ts'
import { CpeWire, cookieOf, vector } from '../support/cwmp-wire.ts'
import { startController } from '../support/usp-controller.ts'

interface Line {
  msg: string
  [field: string]: unknown
}

function recorder(level: LogLevel): { log: Log; lines: Line[] } {
  const lines: Line[] = []
  return { log: createLog({ level, destination: { write: (line) => void lines.push(JSON.parse(line)) } }), lines }
}

async function runSession(log: Log): Promise<void> {
  const { acs, onContact, stop } = await startAcs({ log })
  const cpe = new CpeWire(acs.port)
  onContact(async (contact) => {
    const operation = {
      id: 'op1',
      deviceId: contact.deviceId,
      request: { verb: 'get' as const, paths: ['Device.DeviceInfo.UpTime'] },
      state: 'queued' as const,
      actor: { kind: 'system' as const, id: 'test' },
      createdAt: 0,
      expiresAt: 1e15,
      attempts: 0,
    }
    const { signal } = new AbortController()
    await contact.execute(operation, { beforeSend: async () => undefined, signal, timeoutMs: 5000 })
  })
  try {
    const first = await cpe.post(vector('inform', { SERIAL: 'LOG' }))
    let answer = await cpe.post('', cookieOf(first))
    while (answer.status === 200) {
      const id = /ID[^>]*>([^<]+)</.exec(answer.text)?.[1] ?? ''
      answer = await cpe.post(
        vector(answer.text.includes('GetParameterValues') ? 'get-values-response' : 'set-values-response', { ID: id }),
        cookieOf(first),
      )
    }
    expect(answer.status).toBe(204)
  } finally {
    cpe.close()
    await stop()
  }
}

it('follows a session RPC by RPC at debug, each line with device and session', async () => {
  const { log, lines } = recorder('debug')
  await runSession(log)
  const told = lines.filter(({ sessionId }) => sessionId !== undefined)
  expect(told.map(({ msg, rpc }) => (rpc === undefined ? msg : `${msg}: ${rpc}`))).toEqual(
    expect.arrayContaining([
      'Inform',
      'RPC sent: GetParameterValues',
      'RPC answered: GetParameterValues',
      'session ended',
    ]),
  )
  expect(new Set(told.map(({ deviceId }) => deviceId)).size).toBe(1)
  expect(new Set(told.map(({ sessionId }) => sessionId)).size).toBe(1)
})

it('follows a link Message by Message at debug, each line with its msg_id, and never tells what a Message carries', async () => {
  const { log, lines } = recorder('debug')
  const world = await startController({ log })
  try {
    const agent = await world.connect('os::00256D-LOG')
    agent.serve({ oui: '00256D', productClass: 'Box', serial: 'LOG' })
    agent.hello()
    await world.contact()
    const notify = {
      subscription_id: 's',
      send_resp: true,
      value_change: { param_path: 'Device.X.Y', param_value: 'whisper' },
    }
    await agent.takeReply(agent.notify(notify, 'told'))
    expect(lines).toContainEqual(
      expect.objectContaining({ msg: 'Message received', type: 'notify', msgId: 'told', deviceId: '00256D-Box-LOG' }),
    )
    expect(lines).toContainEqual(expect.objectContaining({ msg: 'Message sent', type: 'notify_resp', msgId: 'told' }))
    expect(JSON.stringify(lines)).not.toContain('whisper')
  } finally {
    await world.stop()
  }
})

it('says nothing of ordinary sessions at info', async () => {
  const { log, lines } = recorder('info')
  await runSession(log)
  expect(lines.filter(({ msg }) => msg !== 'ill-formed XML was repaired')).toEqual([])
})
