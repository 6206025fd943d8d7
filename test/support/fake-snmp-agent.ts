import snmp from 'net-snmp'
import { freePort } from './free-ports.ts'

/** A table of an agent: its entry, columns with their types, and rows whose first cells are the index. */
export interface FakeTable {
  entry: string
  /** Numbers of columns that are the index, all of them integers. */
  index: readonly number[]
  columns: Readonly<Record<number, snmp.ObjectType>>
  rows: readonly (number | string | Buffer)[][]
}

const { Integer, OctetString } = snmp.ObjectType

/** An SNMP agent on this machine with the scalars and tables of a test. */
export class FakeSnmpAgent {
  readonly port: number
  private readonly agent: { close(done: () => void): void }

  private constructor(port: number, agent: { close(done: () => void): void }) {
    this.port = port
    this.agent = agent
  }

  static async start(
    scalars: Readonly<Record<string, number | string>>,
    tables: readonly FakeTable[],
    user?: snmp.User,
  ): Promise<FakeSnmpAgent> {
    const port = await freePort()
    const agent = snmp.createAgent({ port, address: '127.0.0.1', disableAuthorization: false }, () => undefined)
    agent.getAuthorizer().addCommunity('fleet')
    if (user !== undefined) agent.getAuthorizer().addUser(user)
    const mib = agent.getMib()
    for (const [oid, value] of Object.entries(scalars)) {
      const scalarType = typeof value === 'number' ? Integer : OctetString
      mib.registerProvider({ name: oid, type: snmp.MibProviderType.Scalar, oid, scalarType, maxAccess: 2 })
      mib.setScalarValue(oid, value)
    }
    for (const { entry, index, columns, rows } of tables) {
      const ownColumns = Object.entries(columns).map(([number, type]) => ({
        number: Number(number),
        name: `${entry}.${number}`,
        type,
        maxAccess: 2,
      }))
      const indexColumns = index.map((number) => ({ number, name: `${entry}.${number}`, type: Integer, maxAccess: 2 }))
      mib.registerProvider({
        name: entry,
        type: snmp.MibProviderType.Table,
        oid: entry,
        maxAccess: 1,
        tableColumns: [...indexColumns, ...ownColumns],
        tableIndex: index.map((number) => ({ columnName: `${entry}.${number}` })),
      })
      for (const row of rows) mib.addTableRow(entry, row)
    }
    return new FakeSnmpAgent(port, agent)
  }

  async stop(): Promise<void> {
    await new Promise<void>((resolve) => this.agent.close(resolve))
  }
}
