import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import snmp from 'net-snmp'
import type { RouterState } from '../state/router-state.ts'
import { type SnmpKind, scalarsOf, tablesOf } from './mib.ts'

/** The login of an agent: a community of v2c, or a user of v3 with SHA and AES. */
export type SnmpLogin = { community: string } | { user: string; authKey: string; privKey: string }

const { Integer, OctetString, TimeTicks, Gauge, Counter, Counter64 } = snmp.ObjectType
const TYPES: Readonly<Record<SnmpKind, snmp.ObjectType>> = {
  integer: Integer,
  text: OctetString,
  ticks: TimeTicks,
  gauge: Gauge,
  counter: Counter,
  counter64: Counter64,
}
const READ_ONLY = 2
/** Numbers of columns that only stand in the index begin here. */
const INDEX_FROM = 1000

/** The SNMP agent of a router. It writes nothing, and has none of the OIDs that run something when they are read. */
export class SnmpAgent {
  readonly #router: RouterState
  readonly #login: SnmpLogin
  readonly #host: string
  #port: number
  #agent: ReturnType<typeof snmp.createAgent> | undefined
  #isStale = true
  #shownAt = 0
  #unlisten: () => void = () => undefined

  /** `port` 0: any that is free; it stays the same from the first opening on. */
  constructor(router: RouterState, login: SnmpLogin, host: string, port: number) {
    this.#router = router
    this.#login = login
    this.#host = host
    this.#port = port
  }

  get port(): number {
    return this.#port
  }

  /** Rejects with the error of the system when it cannot listen. */
  async open(): Promise<void> {
    const socket = createSocket('udp4')
    socket.bind(this.#port, this.#host)
    await once(socket, 'listening')
    this.#port = socket.address().port
    this.#unlisten = this.#router.store.onChange(() => {
      this.#isStale = true
    })
    // The package makes its socket itself, and cannot say which port it took.
    const dgramModule = { createSocket: () => this.#facade(socket) }
    const agent = snmp.createAgent({ dgramModule, port: this.#port, address: this.#host }, () => undefined)
    if ('community' in this.#login) agent.getAuthorizer().addCommunity(this.#login.community)
    else agent.getAuthorizer().addUser(userOf(this.#login))
    this.#agent = agent
    this.#isStale = true
  }

  close(): void {
    this.#unlisten()
    this.#agent?.close(() => undefined)
    this.#agent = undefined
  }

  /** A socket that is bound already, and shows the values of the moment to each request. */
  #facade(socket: Socket) {
    return {
      on: (event: string, listener: (...args: unknown[]) => void) =>
        socket.on(event, (...args: unknown[]) => {
          if (event === 'message') this.#show()
          listener(...args)
        }),
      bind: () => undefined,
      send: socket.send.bind(socket),
      close: (done?: () => void) => socket.close(done),
      address: () => socket.address(),
    }
  }

  #show(): void {
    const { now } = this.#router
    if (!this.#isStale && now === this.#shownAt) return
    this.#isStale = false
    this.#shownAt = now
    const mib = snmp.createMib()
    for (const { oid, kind, value } of scalarsOf(this.#router)) {
      mib.registerProvider({
        name: oid,
        type: snmp.MibProviderType.Scalar,
        oid,
        scalarType: TYPES[kind],
        maxAccess: READ_ONLY,
      })
      mib.setScalarValue(oid, value)
    }
    for (const table of tablesOf(this.#router)) {
      if (table.rows.length === 0) continue
      mib.registerProvider(providerOf(table))
      const numbers = Object.keys(table.columns).map(Number)
      for (const { index, cells } of table.rows)
        mib.addTableRow(table.entry, [...index, ...numbers.map((number) => wire(cells[number] ?? 0))])
    }
    this.#agent?.setMib(mib)
  }
}

function providerOf({ entry, columns, rows }: ReturnType<typeof tablesOf>[number]) {
  const index = (rows[0]?.index ?? []).map((_, n) => INDEX_FROM + n)
  const column = (number: number, type: snmp.ObjectType, maxAccess: number) => ({
    number,
    name: `${entry}.${number}`,
    type,
    maxAccess,
  })
  return {
    name: entry,
    type: snmp.MibProviderType.Table,
    oid: entry,
    maxAccess: 1,
    tableColumns: [
      ...index.map((number) => column(number, Integer, 0)),
      ...Object.entries(columns).map(([number, kind]) => column(Number(number), TYPES[kind], READ_ONLY)),
    ],
    tableIndex: index.map((number) => ({ columnName: `${entry}.${number}` })),
  }
}

/** Counters of 64 bits are bytes to the package. */
function wire(value: string | number | bigint): string | number | Buffer {
  if (typeof value !== 'bigint') return value
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(value)
  return bytes
}

function userOf({ user, authKey, privKey }: Extract<SnmpLogin, { user: string }>): snmp.User {
  return {
    name: user,
    level: snmp.SecurityLevel.authPriv,
    authProtocol: snmp.AuthProtocols.sha,
    authKey,
    privProtocol: snmp.PrivProtocols.aes,
    privKey,
  }
}
