import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Codec, type Msg, requestMsg, responseMsg, type UspRecord } from '../../../src/usp/wire/index.ts'

const VECTORS = join(import.meta.dirname, '../../vectors/usp')
const codec = new Codec()

/** The bytes of a text of hex pairs; `#` begins a comment. */
const bytesOf = (hex: string) => Buffer.from(hex.replace(/#.*$/gm, '').replace(/\s+/g, ''), 'hex')
const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

interface Vector {
  /** The payload of a noSession body is the Message. */
  record: Omit<UspRecord, 'body'> & { body: { kind: string; reason?: string; reasonCode?: number } }
  msg?: Msg
}

function vector(name: string): { bytes: Buffer; want: Vector } {
  const bytes = bytesOf(readFileSync(join(VECTORS, `${name}.hex`), 'utf8'))
  return { bytes, want: JSON.parse(readFileSync(join(VECTORS, `${name}.json`), 'utf8')) }
}

/** The error that `work` throws; undefined when it throws none. */
function thrownBy(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  return undefined
}

describe('vectors made from the tables of TR-369, not by our encoder', () => {
  const names = readdirSync(VECTORS)
    .filter((name) => name.endsWith('.hex'))
    .map((name) => name.slice(0, -4))

  it.each(names)('%s reads as expected', (name) => {
    const { bytes, want } = vector(name)
    const record = codec.decodeRecord(bytes)
    if (record.body.kind !== 'noSession') return expect(record).toEqual(want.record)
    expect({ ...record, body: { kind: record.body.kind } }).toEqual(want.record)
    expect(codec.decodeMsg(record.body.payload)).toEqual(want.msg)
  })

  it.each(names)('%s is written byte for byte', (name) => {
    const { bytes, want } = vector(name)
    const { toId, fromId, body } = want.record
    const written =
      want.msg === undefined
        ? codec.encodeRecord({ toId, fromId, body: body as Parameters<Codec['encodeRecord']>[0]['body'] })
        : codec.encode(toId, fromId, want.msg)
    expect(hexOf(written)).toBe(hexOf(bytes))
  })

  it('are all there', () => expect(names.length).toBeGreaterThanOrEqual(29))
})

describe('decodeRecord', () => {
  // version 1.4, to_id a::b, from_id c::d
  const HEAD = '0a03312e34 1204613a3a62 1a04633a3a64'
  const NO_SESSION = '3a05 1203 0a0100'

  it.each([
    ['an empty Record', '', '7104'],
    ['a length beyond the end', '0a ff', '7100'],
    ['a group that never ends', '0b', '7100'],
    ['a string where an enum belongs, cut', '22 05 61', '7100'],
    ['no from_id', '0a03312e34 1204613a3a62 4a00', '7104'],
    ['no record_type', HEAD, '7104'],
    ['a payload_security that does not exist', `${HEAD} 2002 ${NO_SESSION}`, '7104'],
    ['a no_session_context without payload', `${HEAD} 3a00`, '7104'],
    ['an empty payload', `${HEAD} 3a021200`, '7104'],
  ])('refuses %s', (_name, hex, code) => {
    expect(thrownBy(() => codec.decodeRecord(bytesOf(hex)))).toMatchObject({ name: 'ProtocolError', code })
  })

  it('refuses a from_id over 256 characters', () => {
    const record = Buffer.concat([bytesOf('1a ac02'), Buffer.alloc(300, 'x'), bytesOf('4a00')])
    expect(thrownBy(() => codec.decodeRecord(record))).toMatchObject({ code: '7104' })
  })

  it.each([
    ['a session context (8)', `${HEAD} 4206 0803 1001 1801`, { kind: 'session' }],
    ['an MQTT connect (10)', `${HEAD} 5203120174`, { kind: 'mqttConnect' }],
    ['a STOMP connect (11)', `${HEAD} 5a03120174`, { kind: 'stompConnect' }],
    ['a UDS connect (13)', `${HEAD} 6a00`, { kind: 'udsConnect' }],
    ['a Disconnect without words (12)', `${HEAD} 6200`, { kind: 'disconnect', reason: '', reasonCode: 0 }],
    ['a WebSocket connect that has zero bytes (9)', `${HEAD} 4a00`, { kind: 'websocketConnect' }],
  ])('recognises %s', (_name, hex, body) => {
    expect(codec.decodeRecord(bytesOf(hex))).toMatchObject({ toId: 'a::b', fromId: 'c::d', body })
  })

  it('tells TLS12 from PLAINTEXT', () => {
    expect(codec.decodeRecord(bytesOf(`${HEAD} 2001 4a00`)).secured).toBe(true)
    expect(codec.decodeRecord(bytesOf(`${HEAD} 4a00`)).secured).toBe(false)
  })

  it('copes with a version of the future and with fields it does not know', () => {
    const record = codec.decodeRecord(bytesOf('0a03322e30 1204613a3a62 1a04633a3a64 4a00 fa0103616263'))
    expect(record).toMatchObject({ version: '2.0', body: { kind: 'websocketConnect' } })
  })
})

describe('decodeMsg', () => {
  const HEADER = '0a06 0a026d31 1001'
  const field = (tag: string, hex: string) => tag + (hex.length / 2).toString(16).padStart(2, '0') + hex

  it.each([
    ['no header', '12040a020a00', undefined],
    ['an empty msg_id', '0a021001 12040a020a00', undefined],
    ['no Body', HEADER, 'm1'],
    ['an empty Body', `${HEADER} 1200`, 'm1'],
    ['an empty Request', `${HEADER} 12020a00`, 'm1'],
    ['a Notify without a notification', `${HEADER} 12060a0442021001`, 'm1'],
  ])('refuses %s with 7004, and its msg_id where there is one', (_name, hex, msgId) => {
    const error = thrownBy(() => codec.decodeMsg(bytesOf(hex)))
    expect(error).toMatchObject({ name: 'ProtocolError', code: '7004' })
    expect((error as { context: { msgId?: string } }).context.msgId).toBe(msgId)
  })

  it('refuses a request of a kind that nobody knows with 7001', () => {
    for (const request of ['7a00', '7a03616263', 'fa7f00'])
      expect(thrownBy(() => codec.decodeMsg(bytesOf(`${HEADER} ${field('12', field('0a', request))}`)))).toMatchObject({
        code: '7001',
        context: { msgId: 'm1' },
      })
  })

  it('names the request of an answer that cannot be decoded', () => {
    for (const [body, context] of [
      ['12030a050a', { answers: 'm1' }],
      ['0a030a050a', { msgId: 'm1' }],
    ] as const)
      expect(thrownBy(() => codec.decodeMsg(bytesOf(`${HEADER} ${field('12', body)}`)))).toMatchObject({
        code: '7004',
        context,
      })
  })

  it('goes by the Body and not by msg_type', () => {
    // The header says GET (1), the Body is a Delete (6).
    expect(codec.decodeMsg(bytesOf(`${HEADER} 12040a023200`))).toMatchObject({ kind: 'request', name: 'delete' })
  })

  it('tells an empty Response member from one that is not there', () => {
    expect(codec.decodeMsg(bytesOf(`${HEADER} 120412022200`))).toEqual({
      msgId: 'm1',
      kind: 'response',
      name: 'set_resp',
      body: { updated_obj_results: [] },
    })
    // A Response without any member is none; nobody answers a Response, but a request may wait for it.
    const error = thrownBy(() => codec.decodeMsg(bytesOf(`${HEADER} 12021200`)))
    expect(error).toMatchObject({ code: '7004', context: { answers: 'm1' } })
    expect((error as { context: { msgId?: string } }).context.msgId).toBeUndefined()
  })

  it('never fails with anything but a ProtocolError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
        for (const read of [() => codec.decodeRecord(bytes), () => codec.decodeMsg(bytes)]) {
          const error = thrownBy(read)
          if (error !== undefined) expect(error).toMatchObject({ name: 'ProtocolError' })
        }
      }),
    )
  })
})

describe('a Message of very many fields', () => {
  /** A field of a number with these bytes in it. */
  const field = (number: number, bytes: Uint8Array) => {
    const length: number[] = []
    for (let left = bytes.length; ; left >>>= 7) {
      length.push((left & 127) | (left > 127 ? 128 : 0))
      if (left <= 127) break
    }
    return Buffer.concat([Buffer.from([number * 8 + 2, ...length]), bytes])
  }
  const header = field(1, field(1, Buffer.from('m')))
  /** As many empty results in a GetResp; each takes two bytes. */
  const results = (count: number) =>
    Buffer.concat([header, field(2, field(2, field(1, Buffer.alloc(2 * count, '\n\0'))))])

  it('is not decoded, for that takes time and memory by their number', () => {
    for (const bytes of [results(100_000), results(8_000_000)])
      expect(thrownBy(() => codec.decodeMsg(bytes))).toMatchObject({
        name: 'ProtocolError',
        message: expect.stringContaining('more than 100000 fields'),
      })
    const session = field(8, Buffer.alloc(300_000, '\x3a\0'))
    const opening = Buffer.concat([field(3, Buffer.from('a')), session])
    expect(thrownBy(() => codec.decodeRecord(opening))).toMatchObject({ code: '7100' })
  })

  it('counts those that nobody knows, and those of the entries of maps', () => {
    const unknown = Buffer.concat([header, Buffer.alloc(300_000, '\x78\0')])
    const entry = field(2, Buffer.alloc(300_000, '\n\0'))
    const map = Buffer.concat([header, field(2, field(2, field(1, field(1, field(4, entry)))))])
    for (const bytes of [unknown, map])
      expect(thrownBy(() => codec.decodeMsg(bytes))).toMatchObject({ message: expect.stringContaining('fields') })
  })

  it('is named by its msg_id all the same, so that its request does not wait on', () => {
    expect(thrownBy(() => codec.decodeMsg(results(100_000)))).toMatchObject({ code: '7005', context: { answers: 'm' } })
    const body = field(2, field(1, field(8, Buffer.alloc(300_000, '\x78\0'))))
    for (const bytes of [Buffer.concat([header, body]), Buffer.concat([body, header])])
      expect(thrownBy(() => codec.decodeMsg(bytes))).toMatchObject({ code: '7005', context: { msgId: 'm' } })
  })

  it('is read when it is the tree of a large device', () => {
    const result_params = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`Parameter${i}`, String(i)]))
    const resolved_path_results = [{ resolved_path: 'Device.', result_params }]
    const msg = responseMsg('m', 'get_resp', {
      req_path_results: [{ requested_path: 'Device.', err_code: 0, err_msg: '', resolved_path_results }],
    })
    expect(codec.decodeMsg(codec.encodeMsg(msg))).toEqual(msg)
  })
})

describe('Messages', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 20 }).filter((value) => !/[\ud800-\udfff]/.test(value))
  const id = text.filter((value) => value !== '')

  it('come back as they were written, for any text', () => {
    fc.assert(
      fc.property(id, fc.array(text), fc.nat(0xffffffff), (msgId, param_paths, max_depth) => {
        const msg = requestMsg(msgId, 'get', { param_paths, max_depth })
        expect(codec.decodeMsg(codec.encodeMsg(msg))).toEqual(msg)
      }),
    )
  })

  it('keep every entry of a map, whatever its key', () => {
    const output_args = JSON.parse('{"__proto__": "1", "constructor": "2", "": "3", "a.b": ""}')
    const msg = responseMsg('m', 'operate_resp', {
      operation_results: [{ executed_command: 'Device.X()', req_output_args: { output_args } }],
    })
    const back = codec.decodeMsg(codec.encodeMsg(msg))
    const [result] = back.kind === 'response' && back.name === 'operate_resp' ? back.body.operation_results : []
    const entries = Object.entries(result?.req_output_args?.output_args ?? {})
    expect(entries).toContainEqual(['constructor', '2'])
    expect(entries).toContainEqual(['', '3'])
    expect(entries).toContainEqual(['a.b', ''])
    expect(Object.getPrototypeOf(result?.req_output_args?.output_args ?? {})).toBe(Object.prototype)
  })
})
