import type { PropertyCodec } from '../../switch/environment.ts';
import { type Guid, guidWords, NULL_GUID } from '../core/guid.ts';
import type { FeatureClass, SerializationProfile } from '../mof/feature-class.ts';
import { FeatureCodec } from '../mof/feature-codec.ts';

/** Property type of a class: Custom 1; 0 for built-in policies, which no OID carries (rule E3). */
export type CodecType = 0 | 1;

/**
 * A MOF class as a {@link PropertyCodec}: values ↔ the serialized class. It is the class's codec, not a holder of it: the
 * switch calls it three times a request, and every layer in between costs.
 */
export class CustomCodec extends FeatureCodec implements PropertyCodec {
  readonly name: string;
  readonly propertyType: CodecType;
  readonly id: Guid;
  readonly idWords: Uint32Array;
  readonly extensionId: Guid;
  readonly version: number;
  readonly fixedSize: number;

  constructor(
    feature: FeatureClass,
    profile: Partial<SerializationProfile>,
    propertyType: CodecType,
  ) {
    super(feature, profile);
    // As a property key the name is one string in memory: extensions compare it by reference, not by its characters.
    this.name = Object.keys({ [feature.name]: 0 })[0] ?? feature.name;
    this.id = feature.id;
    this.idWords = guidWords(propertyType === 1 ? feature.id : NULL_GUID);
    this.extensionId = feature.extensionId;
    this.version = feature.version;
    this.fixedSize = this.layout.size;
    this.propertyType = propertyType;
  }
}
