import { createHash } from 'node:crypto'
import { connect } from 'node:net'

// Sessions as CPE make them, in a process of its own: each over a new connection, with a challenge, three requests.

/** One device of the load: its login, and its Inform as bytes. */
export interface LoadedDevice {
  username: string
  password: string
  inform: string
}

/** The messages of the parent process. */
export interface LoadOrder {
  port: number
  devices: LoadedDevice[]
  parallel: number
  /** It ends after this time, but not before so many sessions. */
  ms: number
  atLeast: number
}

/** The messages to the parent process. */
export interface LoadReport {
  sessions: number
  p50Ms: number
  p99Ms: number
}

const HEAD = 'POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n'
const TYPE = 'Content-Type: text/xml; charset="utf-8"\r\nSOAPAction: \r\n'
const HA2 = md5('POST:/')

process.on('message', (order: LoadOrder) => {
  run(order).then(
    (report) => process.send?.(report),
    (error: Error) => process.send?.({ error: error.message }),
  )
})

async function run({ port, devices, parallel, ms, atLeast }: LoadOrder): Promise<LoadReport> {
  const times: number[] = []
  const end = performance.now() + ms
  // Each device has one session at a time; all of them take turns.
  const free = [...devices]
  await Promise.all(
    Array.from({ length: parallel }, async () => {
      while (performance.now() < end || times.length < atLeast) {
        const device = free.shift()
        if (device === undefined) throw new Error('there are fewer devices than sessions at a time')
        const start = performance.now()
        await session(port, device)
        times.push(performance.now() - start)
        free.push(device)
      }
    }),
  )
  times.sort((a, b) => a - b)
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Number.NaN
  return { sessions: times.length, p50Ms: at(0.5), p99Ms: at(0.99) }
}

/** Inform, 401, Inform with Authorization, empty POST, 204; the CPE then closes its connection. */
function session(port: number, device: LoadedDevice): Promise<void> {
  return new Promise((resolve, reject) => {
    const length = Buffer.byteLength(device.inform)
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    let text = ''
    let authorization = ''
    let step = 0
    const fail = (why: string) => {
      socket.destroy()
      reject(new Error(why))
    }
    socket.on('connect', () => socket.write(`${HEAD}${TYPE}Content-Length: ${length}\r\n\r\n${device.inform}`))
    socket.on('error', (error) => fail(error.message))
    socket.on('data', (data) => {
      text += data.toString('latin1')
      const headEnd = text.indexOf('\r\n\r\n')
      if (headEnd < 0) return
      const body = Number(/content-length: *(\d+)/i.exec(text)?.[1] ?? 0)
      if (text.length < headEnd + 4 + body) return
      const head = text.slice(0, headEnd)
      const status = head.slice(9, 12)
      text = ''
      if (step === 0) {
        if (status !== '401') return fail(`the first Inform was answered ${status}`)
        authorization = authorize(device, head)
        socket.write(`${HEAD}${TYPE}${authorization}Content-Length: ${length}\r\n\r\n${device.inform}`)
      } else if (step === 1) {
        if (status !== '200') return fail(`the second Inform was answered ${status}`)
        const cookie = /set-cookie: *([^;\r\n]+)/i.exec(head)?.[1] ?? ''
        socket.write(`${HEAD}Cookie: ${cookie}\r\nContent-Length: 0\r\n\r\n`)
      } else {
        if (status !== '204') return fail(`the empty POST was answered ${status}`)
        socket.end()
        resolve()
      }
      step++
    })
  })
}

function authorize(device: LoadedDevice, head: string): string {
  const { username, password } = device
  const line = /www-authenticate: *(Digest[^\r\n]*)/i.exec(head)?.[1] ?? ''
  const realm = /realm="([^"]*)"/.exec(line)?.[1] ?? ''
  const nonce = /nonce="([^"]*)"/.exec(line)?.[1] ?? ''
  const ha1 = md5(`${username}:${realm}:${password}`)
  const response = md5(`${ha1}:${nonce}:00000001:c0ffee:auth:${HA2}`)
  return `Authorization: Digest username="${username}", realm="${realm}", nonce="${nonce}", uri="/", algorithm=MD5, qop=auth, nc=00000001, cnonce="c0ffee", response="${response}"\r\n`
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex')
}
