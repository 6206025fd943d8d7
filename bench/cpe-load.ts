import { createHash } from 'node:crypto'
import { HttpConnection } from './http-connection.ts'

const ENVELOPE =
  'xmlns:soap-env="http://schemas.xmlsoap.org/soap/envelope/" xmlns:soap-enc="http://schemas.xmlsoap.org/soap/encoding/" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:cwmp="urn:dslforum-org:cwmp-1-2"'

function envelope(id: string, body: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<soap-env:Envelope ${ENVELOPE}><soap-env:Header><cwmp:ID soap-env:mustUnderstand="1">${id}</cwmp:ID></soap-env:Header><soap-env:Body>${body}</soap-env:Body></soap-env:Envelope>`
}

/** A tree that a CPE shows: the value and type of each parameter by its path. */
export type LoadTree = ReadonlyMap<string, { value: string; type: string }>

/** The forced Inform parameters of a root, as a small gateway sends them: about 2 KB in all. */
function informBody(root: string, serial: string, event: string): string {
  const values: [string, string, string][] = [
    root === 'Device.'
      ? ['Device.RootDataModelVersion', 'string', '2.15']
      : [`${root}DeviceSummary`, 'string', 'InternetGatewayDevice:1.4[](Baseline:1)'],
    [`${root}DeviceInfo.HardwareVersion`, 'string', 'HW-2'],
    [`${root}DeviceInfo.SoftwareVersion`, 'string', '3.4.1'],
    [`${root}DeviceInfo.ProvisioningCode`, 'string', 'res.north'],
    [`${root}ManagementServer.ParameterKey`, 'string', ''],
    [`${root}ManagementServer.ConnectionRequestURL`, 'string', `http://127.0.0.1:9/${serial}`],
    [`${root}ManagementServer.AliasBasedAddressing`, 'boolean', '0'],
  ]
  const list = values
    .map(
      ([name, type, value]) =>
        `<ParameterValueStruct><Name>${name}</Name><Value xsi:type="xsd:${type}">${value}</Value></ParameterValueStruct>`,
    )
    .join('')
  return `<cwmp:Inform><DeviceId><Manufacturer>Isthmian</Manufacturer><OUI>00256D</OUI><ProductClass>Bench</ProductClass><SerialNumber>${serial}</SerialNumber></DeviceId><Event soap-enc:arrayType="cwmp:EventStruct[1]"><EventStruct><EventCode>${event}</EventCode><CommandKey></CommandKey></EventStruct></Event><MaxEnvelopes>1</MaxEnvelopes><CurrentTime>2026-01-01T00:00:00Z</CurrentTime><RetryCount>0</RetryCount><ParameterList soap-enc:arrayType="cwmp:ParameterValueStruct[${values.length}]">${list}</ParameterList></cwmp:Inform>`
}

/** A CPE that keeps one connection and runs one session after the other; it obeys the credentials that the ACS sets. */
export class CpeLoad {
  readonly #connection: HttpConnection
  readonly #serial: string
  #username: string
  #password: string
  readonly #tree: LoadTree
  readonly #root: string
  #challenge: { realm: string; nonce: string; nc: number } | undefined

  /** Requests of the ACS that it has answered. */
  rpcs = 0

  /** Values in its last answer to a GetParameterValues. */
  valuesRead = 0

  /** The answer of the ACS to the last Inform, for the floor. */
  informResponse = ''

  /** `tree`: the tree that it shows, or how many parameters of no model it has. */
  constructor(port: number, serial: string, secret: string, tree: LoadTree | number) {
    this.#tree = typeof tree === 'number' ? plainTree(tree) : tree
    this.#root = [...this.#tree.keys()].some((path) => path.startsWith('InternetGatewayDevice.'))
      ? 'InternetGatewayDevice.'
      : 'Device.'
    this.#connection = new HttpConnection(port)
    this.#serial = serial
    this.#username = `00256D-Bench-${serial}`
    this.#password = secret
  }

  /**
   * Sends Inform, empty POST and answers to all requests of the ACS, until 204. Returns the number of HTTP requests.
   */
  async session(event = '2 PERIODIC'): Promise<number> {
    let requests = 0
    let cookie = ''
    const post = async (body: string) => {
      requests++
      let answer = await this.#connection.send(this.#request(body, cookie))
      if (answer.status === 401) {
        this.#learn(answer.head)
        requests++
        answer = await this.#connection.send(this.#request(body, cookie))
      }
      const set = /set-cookie: *([^;\r\n]+)/i.exec(answer.head)?.[1]
      if (set !== undefined) cookie = set
      if (answer.status !== 200 && answer.status !== 204)
        throw new Error(`the ACS answered ${answer.status}: ${answer.body.slice(0, 300)}`)
      return answer
    }
    const informed = await post(envelope('1', informBody(this.#root, this.#serial, event)))
    if (!informed.body.includes('InformResponse')) throw new Error(`no InformResponse: ${informed.body.slice(0, 500)}`)
    this.informResponse = informed.body
    let answer = await post('')
    while (answer.status === 200 && answer.body !== '') answer = await post(this.#reply(answer.body))
    return requests
  }

  /** Begins a session and sends this body in it; the status of the answer, or 0 when the connection was closed. */
  async afterInform(body: string): Promise<number> {
    const inform = envelope('1', informBody(this.#root, this.#serial, '2 PERIODIC'))
    let answer = await this.#connection.send(this.#request(inform, ''))
    if (answer.status === 401) {
      this.#learn(answer.head)
      answer = await this.#connection.send(this.#request(inform, ''))
    }
    const cookie = /set-cookie: *([^;\r\n]+)/i.exec(answer.head)?.[1] ?? ''
    return this.#connection.send(this.#request(body, cookie)).then(
      ({ status }) => status,
      () => 0,
    )
  }

  /** Returns the two requests of a session as bytes. */
  sessionBytes(): [string, string] {
    return [
      this.#request(envelope('1', informBody(this.#root, this.#serial, '2 PERIODIC')), ''),
      this.#request('', 'session=0123456789abcdef'),
    ]
  }

  /** The login it has now and the bytes of its periodic Inform, for a load in another process. */
  get loaded(): { serial: string; username: string; password: string; inform: string } {
    const inform = envelope('1', informBody(this.#root, this.#serial, '2 PERIODIC'))
    return { serial: this.#serial, username: this.#username, password: this.#password, inform }
  }

  close(): void {
    this.#connection.close()
  }

  #request(body: string, cookie: string): string {
    const type = body === '' ? '' : 'Content-Type: text/xml; charset="utf-8"\r\nSOAPAction: \r\n'
    const jar = cookie === '' ? '' : `Cookie: ${cookie}\r\n`
    return `POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n${type}${jar}${this.#authorization()}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  }

  #authorization(): string {
    const challenge = this.#challenge
    if (challenge === undefined) return ''
    const nc = (++challenge.nc).toString(16).padStart(8, '0')
    const ha1 = md5(`${this.#username}:${challenge.realm}:${this.#password}`)
    const response = md5(`${ha1}:${challenge.nonce}:${nc}:c0ffee:auth:${md5('POST:/')}`)
    return `Authorization: Digest username="${this.#username}", realm="${challenge.realm}", nonce="${challenge.nonce}", uri="/", qop=auth, nc=${nc}, cnonce="c0ffee", response="${response}"\r\n`
  }

  #learn(head: string): void {
    const line = /www-authenticate: *(Digest[^\r\n]*)/i.exec(head)?.[1] ?? ''
    const field = (name: string) => new RegExp(`${name}="([^"]*)"`).exec(line)?.[1] ?? ''
    this.#challenge = { realm: field('realm'), nonce: field('nonce'), nc: 0 }
  }

  #names(): string {
    const names = [...this.#tree.keys()]
    const list = names
      .map((name) => `<ParameterInfoStruct><Name>${name}</Name><Writable>1</Writable></ParameterInfoStruct>`)
      .join('')
    return `<cwmp:GetParameterNamesResponse><ParameterList soap-enc:arrayType="cwmp:ParameterInfoStruct[${names.length}]">${list}</ParameterList></cwmp:GetParameterNamesResponse>`
  }

  /** The parameters named, and those below the objects named. A name that it does not have is answered all the same. */
  #values(request: string): string {
    const asked = [...request.matchAll(/<(?:xsd:)?string[^>]*>([^<]*)</g)].map((match) => match[1] ?? '')
    const names = asked.flatMap((name) =>
      name.endsWith('.') ? [...this.#tree.keys()].filter((path) => path.startsWith(name)) : [name],
    )
    this.valuesRead = names.length
    const list = names
      .map((name) => {
        const { value, type } = this.#tree.get(name) ?? PLAIN
        return `<ParameterValueStruct><Name>${name}</Name><Value xsi:type="xsd:${type}">${value}</Value></ParameterValueStruct>`
      })
      .join('')
    return `<cwmp:GetParameterValuesResponse><ParameterList soap-enc:arrayType="cwmp:ParameterValueStruct[${names.length}]">${list}</ParameterList></cwmp:GetParameterValuesResponse>`
  }

  #reply(request: string): string {
    this.rpcs++
    const id = />([^<]*)<\/[A-Za-z-]+:ID>/.exec(request)?.[1] ?? '1'
    if (request.includes(':SetParameterValues>')) {
      const value = (name: string) =>
        new RegExp(`ManagementServer\\.${name}</Name>\\s*<Value[^>]*>([^<]*)<`).exec(request)?.[1]
      this.#username = value('Username') ?? this.#username
      this.#password = value('Password') ?? this.#password
      if (value('Password') !== undefined) this.#challenge = undefined
      return envelope(id, '<cwmp:SetParameterValuesResponse><Status>0</Status></cwmp:SetParameterValuesResponse>')
    }
    if (request.includes(':GetParameterNames>')) return envelope(id, this.#names())
    if (request.includes(':GetParameterValues>')) return envelope(id, this.#values(request))
    return envelope(
      id,
      '<soap-env:Fault><faultcode>Client</faultcode><faultstring>CWMP fault</faultstring><detail><cwmp:Fault><FaultCode>9000</FaultCode><FaultString>Method not supported</FaultString></cwmp:Fault></detail></soap-env:Fault>',
    )
  }
}

const PLAIN = { value: 'value', type: 'string' }

/** So many parameters that no model knows, 16 in an object. */
function plainTree(parameters: number): LoadTree {
  return new Map(
    Array.from({ length: parameters }, (_, i) => [`Device.X_BENCH.Row.${1 + (i >> 4)}.Value${i & 15}`, PLAIN]),
  )
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex')
}

/** Devices with trees of so many parameters, enrolled and read: their next Informs leave the ACS nothing to do. */
export async function warmDevices(
  { cwmpPort, enrolmentSecret }: { cwmpPort: number; enrolmentSecret: string },
  prefix: string,
  tree: LoadTree | number,
  count: number,
): Promise<CpeLoad[]> {
  const devices = Array.from({ length: count }, (_, i) => new CpeLoad(cwmpPort, `${prefix}${i}`, enrolmentSecret, tree))
  await Promise.all(
    devices.map(async (device) => {
      await device.session('0 BOOTSTRAP')
      for (let i = 0; i < 20; i++) if ((await device.session()) === 2) return
      throw new Error('a device does not become warm: the ACS always has something to do')
    }),
  )
  return devices
}
