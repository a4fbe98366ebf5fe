import type { MofDeclaration } from './ast.ts';
import { builtinFeatures } from './builtin-features.ts';
import { ClassTree } from './class-tree.ts';
import { DiagnosticSink } from './diagnostic.ts';
import { classOfFeature } from './feature-mof.ts';
import { Lexer } from './lexer.ts';
import { parseDeclarations } from './parser.ts';
import { Cursor } from './parser-cursor.ts';
import { SourceFile } from './source.ts';

/*
 * The part of the class model of root\virtualization\v2 that feature classes stand on (management.md 3.1). The classes
 * in the first text are complete; of the others only names, superclasses and keys are given.
 */
const COMPLETE = `
[Abstract] class CIM_ManagedElement {
  string InstanceID; [MaxLen(64)] string Caption; string Description; string ElementName; };
[Abstract] class CIM_SettingData : CIM_ManagedElement { [Key, Override("InstanceID")] string InstanceID; };
[Abstract] class Msvm_FeatureSettingData : CIM_SettingData {};
[Abstract] class Msvm_EthernetSwitchFeatureSettingData : Msvm_FeatureSettingData {};
[Abstract] class Msvm_EthernetSwitchPortFeatureSettingData : Msvm_FeatureSettingData {};
[Abstract] class Msvm_EthernetSwitchData : CIM_ManagedElement {
  [Key] string SystemCreationClassName; [Key] string SystemName;
  [Key] string CreationClassName; [Key] string Name; };
[Abstract] class Msvm_EthernetPortData : CIM_ManagedElement {
  [Key] string SystemCreationClassName; [Key] string SystemName; [Key] string CreationClassName;
  [Key] string Name; [Key] string DeviceCreationClassName; [Key] string DeviceID; };
`;

const OPEN = `
class CIM_VirtualSystemSettingData : CIM_SettingData {};
class CIM_VirtualEthernetSwitchSettingData : CIM_VirtualSystemSettingData {};
class Msvm_VirtualEthernetSwitchSettingData : CIM_VirtualEthernetSwitchSettingData {};
class CIM_ResourceAllocationSettingData : CIM_SettingData {};
class CIM_EthernetPortAllocationSettingData : CIM_ResourceAllocationSettingData {};
class Msvm_EthernetPortAllocationSettingData : CIM_EthernetPortAllocationSettingData {};
class Msvm_SyntheticEthernetPortSettingData : CIM_ResourceAllocationSettingData {};
class Msvm_EmulatedEthernetPortSettingData : CIM_ResourceAllocationSettingData {};
[Abstract] class CIM_Capabilities : CIM_ManagedElement { [Key] string InstanceID; };
class Msvm_EthernetSwitchFeatureCapabilities : CIM_Capabilities {
  string FeatureId; uint16 Applicability; string Version; };
[Abstract] class CIM_ManagedSystemElement : CIM_ManagedElement {};
[Abstract] class CIM_LogicalElement : CIM_ManagedSystemElement {};
class Msvm_InstalledEthernetSwitchExtension : CIM_ManagedSystemElement { string Name; };
[Abstract] class CIM_EnabledLogicalElement : CIM_LogicalElement {};
class Msvm_EthernetSwitchExtension : CIM_EnabledLogicalElement {
  [Key] string SystemCreationClassName; [Key] string SystemName;
  [Key] string CreationClassName; [Key] string Name; };
class CIM_ComputerSystem : CIM_EnabledLogicalElement {
  [Key] string CreationClassName; [Key] string Name; };
class Msvm_ComputerSystem : CIM_ComputerSystem {};
class Msvm_VirtualEthernetSwitch : CIM_ComputerSystem {};
class CIM_EthernetPort : CIM_EnabledLogicalElement {
  [Key] string SystemCreationClassName; [Key] string SystemName;
  [Key] string CreationClassName; [Key] string DeviceID; };
class Msvm_EthernetSwitchPort : CIM_EthernetPort {};
class Msvm_ExternalEthernetPort : CIM_EthernetPort {};
class Msvm_InternalEthernetPort : CIM_EthernetPort {};
[Abstract] class CIM_VirtualSystemManagementService : CIM_EnabledLogicalElement {};
class Msvm_VirtualEthernetSwitchManagementService : CIM_VirtualSystemManagementService {};
class Msvm_VirtualSystemManagementService : CIM_VirtualSystemManagementService {};
class CIM_ConcreteJob : CIM_LogicalElement {};
class Msvm_ConcreteJob : CIM_ConcreteJob {};
class WMIEvent {};
class EventTrace {};
class CIM_StatisticalInformation {};
class Win32_Perf : CIM_StatisticalInformation {};
class Win32_PerfRawData : Win32_Perf {};
class Win32_PerfFormattedData : Win32_Perf {};
class MSWmi_DataBlock {};
class __SystemClass {};
class __Provider : __SystemClass { [Key] string Name; };
class __Win32Provider : __Provider {};
class __ProviderRegistration : __SystemClass {};
class __InstanceProviderRegistration : __ProviderRegistration {};
class __MethodProviderRegistration : __ProviderRegistration {};
class __Namespace : __SystemClass { [Key] string Name; };
class __IndicationRelated : __SystemClass {};
class __Event : __IndicationRelated {};
class __ExtrinsicEvent : __Event {};
class __EventFilter : __IndicationRelated { [Key] string Name; };
`;

let tree: ClassTree | undefined;

/** The built-in class tree, made on first use and shared; put a `new ClassTree(builtInClasses())` over it to add. */
export function builtInClasses(): ClassTree {
  if (tree !== undefined) return tree;
  const made = new ClassTree();
  addText(made, COMPLETE, false);
  addText(made, OPEN, true);
  for (const feature of builtinFeatures()) {
    const declaration = classOfFeature(feature);
    const { name, superclass } = feature;
    made.add({ name, superclass, declaration, builtIn: true, isOpen: false });
    made.addFeature(feature);
  }
  tree = made;
  return made;
}

function addText(target: ClassTree, text: string, isOpen: boolean): void {
  const sink = new DiagnosticSink(false);
  const source = new SourceFile('built-in', text);
  const accept = (declaration: MofDeclaration): void => {
    if (declaration.kind !== 'class') return;
    const superclass = declaration.superclass?.text;
    const part = superclass === undefined ? {} : { superclass };
    target.add({ name: declaration.name, ...part, declaration, builtIn: true, isOpen });
  };
  parseDeclarations(new Cursor(new Lexer(source, sink), sink), accept);
}
