import { describe, expect, it } from 'vitest'
import { isSecret, loadModel } from '../../../src/datamodel/index.ts'

/** Names of secrets in data models that vendors have published. */
const SECRETS = `KeyPassphrase2G KeyPassphrase5G KeyPassphrase X_ALU-COM_Client_Auth_Key PriKey Clientkey PreSharedKey
  PreSharedKey_24G WEPKey WEPKey128 X_HW_WebUserPassword X_HW_WepKey X_TP_PreSharedKey X_TP_Password X_ZTE-COM_Pwd X_CT-COM_TeleComPassword AdminPwd
  UserPass X_HW_AdminPass PSK WPAPSK X_BROADCOM_COM_WlanWpaPsk WpaPsk5G PSKHex PasswordHash PasswordEncrypted X_DLINK_SharedSecret RadiusSecret
  SAEPassphrase EnhancedPassword AuthPassword CertPrivateKey EncryptionKey AuthenticationKey AuthenticationCode NetworkKey PSKc PrivateCredential
  ApiKey X_ACME_API_KEY SSHKey AesKey AccessToken RefreshToken X_ACME_Token PIN SimPIN SIM_PIN PINCode PUK WpsPin DevicePassword Passcode Passwd
  X_SNMP_ReadCommunity WriteCommunity ROCommunity RWCommunityString GuestPassword2 PasswordAdmin NewPassword WPAKey WlanKey KeyValue`.split(
  /\s+/,
)

/** Names that speak of a secret, or only sound like one. */
const PLAIN =
  `PasswordRequired PasswordReset PasswordUserSelectable AllowPasswordLogin ParameterKey CommandKey WEPKeyIndex Key AuthenticationMethod
  AuthenticationKeyFileLocation EncryptionKeyLength TLSAuthenticationKeySizes KeyIdentifier BridgeKey QueueKey FlowKey AppKey MappingPINs Mapping
  PassthroughEnable ModemPassThrough Bypass ByPass RekeyingInterval TotalPSKFailures PublicKey HomeNetworkPublicKeyID Credential PublicCredential
  CredentialNumberOfEntries AuthorizedKeyNumberOfEntries TokenType SecretForwarderEnable Spin Shipping PrivacyEnabled Community Compass PassCount
  Keyboard LoginRetries UserName AuthUserName`.split(/\s+/)

describe('a secret is known by its name', () => {
  it.each(SECRETS)('%s', (name) => {
    expect(isSecret(`Device.X_ACME.1.${name}`)).toBe(true)
  })

  it.each(PLAIN)('and %s is none', (name) => {
    expect(isSecret(`Device.X_ACME.1.${name}`)).toBe(false)
  })

  it('or by the object that holds it', () => {
    expect(isSecret('Device.X_ACME.Password.1.Value')).toBe(true)
    expect(isSecret('Device.X_ACME.WEPKey.2.Key')).toBe(true)
    expect(isSecret('Device.X_ACME.TextRecord.1.Key')).toBe(false)
  })
})

it.each(['tr181-usp', 'tr181-cwmp', 'tr098'] as const)('%s: what is hidden or secured is a secret', (name) => {
  const model = loadModel(name)
  for (const { path, params } of model.objects.values())
    for (const parameter of params.values()) {
      const { h, x, c } = parameter.facets
      if ((h === 1 || x === 1) && c !== 1)
        expect(isSecret(path + parameter.name, model), path + parameter.name).toBe(true)
    }
})
