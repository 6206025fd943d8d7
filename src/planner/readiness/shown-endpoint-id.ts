import { errorText } from '../../base/index.ts'
import type { EndpointId } from '../../domain/index.ts'
import { parseEndpointId } from '../../usp/index.ts'

/**
 * Returns the Endpoint ID of an Agent as its device shows it over CWMP, or the reason for which it is none: devices show
 * texts such as `N/A` there. Blanks around it do not count.
 */
export function shownEndpointId(value: string): { endpointId: EndpointId } | { problem: string } {
  if (value.trim() === '') return { problem: 'Device.USPAgent.EndpointID is empty' }
  try {
    return { endpointId: parseEndpointId(value.trim()) }
  } catch (error) {
    return { problem: `Device.USPAgent.EndpointID: ${errorText(error)}` }
  }
}
