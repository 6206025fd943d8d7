// A stand-in for mongod: takes its flags, listens on its port, and answers as a member of a replica set that may not have been initiated
// yet, or that finds itself under another port than its configuration says. Keeps that configuration in its dbpath, and writes what it was
// started with and asked for to a file beside it. Stores nothing else. A file `panic` in its dbpath makes it say that its storage has panicked.
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import mongoose from 'mongoose'

const { BSON } = mongoose.mongo
const args = process.argv.slice(2)
const flag = (name) => args[args.indexOf(name) + 1]
const port = Number(flag('--port'))
const configFile = join(flag('--dbpath'), 'config.json')
const record = (entry) => appendFileSync(join(flag('--dbpath'), 'record.jsonl'), `${JSON.stringify(entry)}\n`)
let config = existsSync(configFile) ? JSON.parse(readFileSync(configFile, 'utf8')) : undefined
record({ args })

const isMember = () => config?.members[0].host === `127.0.0.1:${port}`
const keep = (next) => {
  config = next
  writeFileSync(configFile, JSON.stringify(config))
  return { ok: 1 }
}
const refuse = (code, codeName, errmsg) => ({ ok: 0, code, codeName, errmsg })

function answer(command) {
  const name = Object.keys(command)[0]
  if (name.startsWith('replSet')) record({ command: name, argument: command[name], force: command.force })
  switch (name) {
    case 'hello':
    case 'isMaster':
    case 'ismaster':
      return {
        ok: 1,
        isWritablePrimary: isMember(),
        ismaster: isMember(),
        ...(isMember()
          ? { setName: config._id, hosts: [config.members[0].host], me: config.members[0].host }
          : { isreplicaset: true }),
        maxBsonObjectSize: 16_777_216,
        maxMessageSizeBytes: 48_000_000,
        maxWriteBatchSize: 100_000,
        localTime: new Date(),
        minWireVersion: 0,
        maxWireVersion: 25,
        readOnly: false,
      }
    case 'replSetInitiate':
      if (config !== undefined) return refuse(23, 'AlreadyInitialized', 'already initialized')
      return keep({ ...command.replSetInitiate, version: 1 })
    case 'replSetGetConfig':
      return config === undefined ? refuse(94, 'NotYetInitialized', 'no replset config') : { ok: 1, config }
    case 'replSetReconfig':
      if (!isMember() && command.force !== true) return refuse(10_107, 'NotWritablePrimary', 'not primary')
      if (command.replSetReconfig.version <= config.version)
        return refuse(103, 'NewReplicaSetConfigurationIncompatible', 'version')
      return keep(command.replSetReconfig)
    case 'ping':
    case 'endSessions':
      return { ok: 1 }
    default:
      return refuse(59, 'CommandNotFound', `no such command: ${name}`)
  }
}

function reply(requestId, opCode, document) {
  const body = BSON.serialize(document)
  const head = opCode === 2013 ? Buffer.alloc(21) : Buffer.alloc(36)
  head.writeInt32LE(head.length + body.length, 0)
  head.writeInt32LE(requestId, 8)
  head.writeInt32LE(opCode === 2013 ? 2013 : 1, 12)
  if (opCode !== 2013) head.writeInt32LE(1, 32)
  return Buffer.concat([head, body])
}

createServer((socket) => {
  let pending = Buffer.alloc(0)
  socket.on('error', () => socket.destroy())
  socket.on('data', (data) => {
    pending = Buffer.concat([pending, data])
    while (pending.length >= 4 && pending.length >= pending.readInt32LE(0)) {
      const message = pending.subarray(0, pending.readInt32LE(0))
      pending = pending.subarray(message.length)
      const opCode = message.readInt32LE(12)
      // OP_MSG has flags and a section kind before its document; the first hello is an OP_QUERY with name, skip and limit.
      const start = opCode === 2013 ? 21 : message.indexOf(0, 20) + 9
      socket.write(reply(message.readInt32LE(4), opCode, answer(BSON.deserialize(message.subarray(start)))))
    }
  })
}).listen(port, flag('--bind_ip'), () =>
  console.log(JSON.stringify({ s: 'I', c: 'NETWORK', id: 23_016, msg: 'Waiting for connections' })),
)
const panic = join(flag('--dbpath'), 'panic')
setInterval(() => {
  if (!existsSync(panic)) return
  rmSync(panic)
  // In two pieces, as a pipe may hand it over: without the wait it would join them.
  process.stderr.write('log server error: WT_PA')
  setTimeout(() => process.stderr.write('NIC: WiredTiger library panic\n'), 50)
}, 20)
process.on('SIGTERM', () => process.exit(0))
