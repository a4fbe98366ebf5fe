import { defineExtension, NdisStatus } from 'extswitch/extension';

/** The next version of Fabrikam's extension: its port class has one member more (fabrikam-next.mof). */
export default defineExtension({
  id: '5cbf81be-5055-47cd-9055-a76b2b4e369e',
  name: 'Fabrikam Filter',
  vendor: 'Fabrikam',
  version: '1.1',
  type: 'filter',
  mof: ['./fabrikam-next.mof'],
  attach: () => ({
    // Run-time data of version 1.0 is understood, and kept by nobody else.
    restoreNic: (state) => (state.isMine ? NdisStatus.SUCCESS : 'forward'),
    queryPortFeatureStatus: (query) =>
      query.feature === 'Fabrikam_CustomPortData'
        ? query.respond({ CurrentStatus: 124 })
        : 'forward',
  }),
});
