import { AppError, type Random } from '../base/index.ts'
import {
  actorText,
  type Bridge,
  type BridgeEnrolment,
  type BridgeStore,
  MAX_BRIDGES,
  notFound,
  ownerOfBridge,
  type Principal,
} from '../domain/index.ts'
import type { CertificateStore } from '../pki/index.ts'
import { newBridgeToken } from '../security/index.ts'
import { type AuditDeps, auditedBy } from './audited-by.ts'

/** The parts that the use cases of bridges need. */
export interface BridgeDeps extends AuditDeps {
  bridges: BridgeStore
  certificates: Pick<CertificateStore, 'revoke'>
  newId(): string
  random: Random
}

/** A bridge with a token that is shown once. */
interface BridgeWithToken {
  bridge: Bridge
  token: string
}

/** The bridge. AppError `notFound` when there is none. */
export async function readBridge({ bridges }: Pick<BridgeDeps, 'bridges'>, id: string): Promise<Bridge> {
  const bridge = await bridges.get(id)
  if (bridge === undefined) throw notFound('bridge', id)
  return bridge
}

/**
 * Stores a new bridge with a token to register with, valid for so many seconds. AppError `conflict` for a name that is
 * taken, or where there are too many bridges.
 */
export async function createBridge(
  deps: BridgeDeps,
  { tokenSeconds, ...input }: { name: string; description?: string; tokenSeconds: number },
  by: Principal,
): Promise<BridgeWithToken> {
  if ((await deps.bridges.count(MAX_BRIDGES)) >= MAX_BRIDGES)
    throw new AppError('conflict', `there are ${MAX_BRIDGES} bridges: delete one that is not used`)
  const id = deps.newId()
  return auditedBy(deps, by, { action: 'bridge.create', target: id, after: { ...input } }, async (at) => {
    const { enrolment, token } = newEnrolment(deps, id, at, tokenSeconds)
    const bridge: Bridge = {
      id,
      ...input,
      revision: 1,
      createdAt: at,
      updatedAt: at,
      routersVersion: 0,
      enrolment,
    }
    await named(bridge.name, deps.bridges.put(bridge, []))
    return { bridge, token }
  })
}

/** Names what is taken, where a new bridge is refused for it. */
async function named(name: string, put: Promise<void>): Promise<void> {
  try {
    await put
  } catch (cause) {
    if (!(cause instanceof AppError) || cause.code !== 'conflict') throw cause
    throw new AppError('conflict', `there is a bridge with the name ${name}: choose another one, or use that one`, {
      cause,
    })
  }
}

/**
 * Gives a bridge a new token, in place of the one before. The bridge that is registered now goes on until another one
 * registers with it.
 */
export async function renewBridgeToken(
  deps: BridgeDeps,
  id: string,
  tokenSeconds: number,
  by: Principal,
): Promise<BridgeWithToken> {
  const present = await readBridge(deps, id)
  return auditedBy(deps, by, { action: 'bridge.renewToken', target: id }, async (at) => {
    const { enrolment, token } = newEnrolment(deps, id, at, tokenSeconds)
    const bridge = { ...present, enrolment, revision: present.revision + 1, updatedAt: at }
    await deps.bridges.put(bridge, [], present.revision)
    return { bridge, token }
  })
}

/** Changes the name or the description. AppError `conflict` when `revision` is not the present one. */
export async function changeBridge(
  deps: BridgeDeps,
  id: string,
  { change, revision }: { change: { name?: string; description?: string }; revision: number },
  by: Principal,
): Promise<Bridge> {
  const present = await readBridge(deps, id)
  if (present.revision !== revision)
    throw new AppError('conflict', 'the bridge has changed since it was read; read it again')
  const before = { name: present.name, description: present.description }
  const deed = { action: 'bridge.change', target: id, before, after: { ...change } }
  return auditedBy(deps, by, deed, async (at) => {
    const bridge = { ...present, ...change, revision: revision + 1, updatedAt: at }
    await deps.bridges.put(bridge, [], revision)
    return bridge
  })
}

/**
 * Deletes a bridge with its routers and revokes all certificates that it holds; its links end within a minute. The
 * records of the devices stay.
 */
export async function deleteBridge(deps: BridgeDeps, id: string, by: Principal): Promise<void> {
  const { name } = await readBridge(deps, id)
  await auditedBy(deps, by, { action: 'bridge.delete', target: id, before: { name } }, async (at) => {
    await deps.certificates.revoke({ owner: ownerOfBridge(id) }, 'the bridge was deleted', at)
    await deps.bridges.delete(id, [{ type: 'bridge.deleted', at, data: { bridgeId: id, name, by: actorText(by) } }])
  })
}

function newEnrolment(
  { random }: Pick<BridgeDeps, 'random'>,
  id: string,
  at: number,
  tokenSeconds: number,
): { enrolment: BridgeEnrolment; token: string } {
  const { text, hash } = newBridgeToken(random, id)
  return { enrolment: { hash, expiresAt: at + tokenSeconds * 1000 }, token: text }
}
