/** Floor 1: connections to brokers of MQTT 3.1.1 and 5. `mqtt-client.ts` is the one door to the package mqtt. */

export { BrokerLink } from './broker-link.ts'
export {
  type BrokerConnection,
  BrokerRefusal,
  type DialBroker,
  type IncomingMessage,
  type MqttLevel,
  type OutgoingMessage,
} from './broker-port.ts'
export { brokerDialler } from './mqtt-client.ts'
