import { booleanIn } from '../booleans.ts'
import type { Transform } from '../transform.ts'
import { quoted, refusal, type Theme, toSource } from './basics.ts'
import { enumeration } from './enumeration.ts'

const callState = enumeration({
  map: {
    Idle: 'Idle',
    Calling: 'Dialing',
    Ringing: 'Alerting',
    Connecting: 'Delivered',
    InCall: 'Connected',
    Hold: 'Connected',
    Disconnecting: 'Disconnected',
  },
})

const voiceLineStatus = enumeration({
  map: { Up: 'Up', Error: 'Error', Testing: 'Testing', Quiescent: 'Quiescent', Disabled: 'Disabled' },
  // SIP.Client.Status has the states of the registration.
  closed: true,
})

const sipClientStatus = enumeration({
  map: {
    Up: 'Up',
    Initializing: 'Initializing',
    Registering: 'Registering',
    Unregistering: 'Deregistering',
    Error: 'Error_Registration',
    Testing: 'Up',
    Quiescent: 'Quiescent',
    Disabled: 'Disabled',
  },
})

const dtmf = enumeration({
  map: { '': '', InBand: 'InBand', RFC2833: 'RFC4733', SIPInfo: 'SIPInfo' },
  reverse: { '': '', InBand: 'InBand', RFC4733: 'RFC2833', SIPInfo: 'SIPInfo' },
})

/** Returns the transform of one of the two booleans that TR-181 makes of Enabled, Quiescent and Disabled. */
function voiceState(quiescent: boolean): Transform {
  const read = (raw: string) => {
    const word = raw.trim()
    if (!['Enabled', 'Disabled', 'Quiescent'].includes(word)) return undefined
    return String(word === (quiescent ? 'Quiescent' : 'Enabled'))
  }
  return {
    merges: true,
    read,
    write(value, context) {
      const wanted = booleanIn(value)
      if (wanted === undefined) throw refusal(context, `${quoted(value)} is no boolean; write true or false`)
      const shown = context.raw(context.from)?.trim()
      if (shown !== undefined && read(shown) === String(wanted)) return toSource(context, shown)
      if (quiescent) return toSource(context, wanted ? 'Quiescent' : 'Disabled')
      const mode = context.to.replace(/Enable$/, 'QuiescentMode')
      const waits = booleanIn(context.requested(mode)) === true
      return toSource(context, wanted ? 'Enabled' : waits ? 'Quiescent' : 'Disabled')
    },
  }
}

/** A SIP address; TR-181 has the scheme, which a device may leave out. */
const sipUri: Transform = {
  read(raw) {
    const text = raw.trim()
    return text === '' || /^sips?:/i.test(text) ? text : `sip:${text}`
  },
  write(value, context) {
    const text = value.trim()
    if (/[\s,]/.test(text)) throw refusal(context, `${quoted(value)} is no SIP address`)
    const shown = context.raw(context.from)?.trim() ?? ''
    return toSource(context, shown === '' || /^sips?:/i.test(shown) ? text : text.replace(/^sip:/i, ''))
  },
}

/** VoiceService of TR-104: states, DTMF and addresses. */
export const VOICE: Theme = {
  callState,
  dtmf,
  sipClientStatus,
  sipUri,
  voiceEnable: voiceState(false),
  voiceLineStatus,
  voiceQuiescent: voiceState(true),
}
