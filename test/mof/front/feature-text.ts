/** Qualifiers of a class that gives no finding at all, also in strict mode. */
const CLASS_QUALIFIERS: Readonly<Record<string, string>> = {
  Dynamic: 'Dynamic',
  Provider: 'Provider("VmmsWmiInstanceAndMethodProvider")',
  UUID: 'UUID("00000000-0000-0000-0000-00000000a001")',
  ExtensionId: 'ExtensionId("00000000-0000-0000-0000-00000000e001")',
  InterfaceVersion: 'InterfaceVersion("1")',
  DisplayName: 'DisplayName("Acme policy")',
};

export interface FeatureText {
  readonly name?: string;
  readonly base?: string;
  /** Replaces or, with '', removes class qualifiers by name; other names are added. */
  readonly qualifiers?: Readonly<Record<string, string>>;
  /** Text of the members. */
  readonly body?: string;
}

/** Text of a port setting class in one line, with what a test changes. */
export function featureText(change: FeatureText = {}): string {
  const name = change.name ?? 'Acme_PortSettingData';
  const base = change.base ?? 'Msvm_EthernetSwitchPortFeatureSettingData';
  const all = { ...CLASS_QUALIFIERS, ...change.qualifiers };
  const list = Object.values(all).filter((text) => text !== '');
  const body = change.body ?? '[Read, Write, WmiDataId(1)] uint32 A = 0;';
  return `[${list.join(', ')}] class ${name} : ${base} { ${body} };`;
}

/** Text of a port setting with one member. */
export function memberText(qualifiers: string, declaration: string): string {
  return featureText({ body: `[Read, Write, WmiDataId(1)${qualifiers}] ${declaration}` });
}
