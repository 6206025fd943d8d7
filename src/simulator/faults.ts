import type { CpeQuirks } from '../cwmp/index.ts'
import type { AgentQuirks } from '../usp/index.ts'

/** What a box does wrong on purpose. */
export const FAULTS = [
  'rejectsWrite',
  'neverOnboards',
  'wrongEndpointId',
  'dropsLink',
  'powerLoss',
  'slow',
  'fault9002',
  'emptyTypes',
  'noCookies',
  'noTimer',
] as const
export type Fault = (typeof FAULTS)[number]

/** The quirks of both sides that make up the faults of a box. */
export function quirksOf(faults: readonly Fault[], serial: string): { cpe: CpeQuirks; agent: AgentQuirks } {
  const cpe: CpeQuirks = {}
  const agent: AgentQuirks = {}
  for (const fault of faults) {
    switch (fault) {
      case 'rejectsWrite':
        cpe.rejectWrites = { pattern: '^Device\\.USPAgent\\.', code: 9001 }
        break
      case 'neverOnboards':
        agent.neverOnboards = true
        break
      case 'wrongEndpointId':
        agent.wrongEndpointId = `self::wrong-${serial.replace(/[^A-Za-z0-9]/g, '')}`
        break
      case 'dropsLink':
        agent.dropsLinkAfter = 8
        break
      case 'slow':
        cpe.answerDelayMs = 60
        agent.answerDelayMs = 60
        break
      case 'fault9002':
        cpe.fault9002Above = 5
        break
      case 'emptyTypes':
        cpe.emptyTypes = true
        break
      case 'noCookies':
        cpe.noCookies = true
        break
      case 'noTimer':
        agent.noTimer = true
        break
      case 'powerLoss':
        break
    }
  }
  return { cpe, agent }
}
