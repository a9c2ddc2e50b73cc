import type { Result } from '../page/result.ts'
import { measureSizes } from '../size.ts'
import { measurePeers } from '../weigh/peers.ts'

/** What `npm run size -- --peers` measures, as rows. */
export async function measureSizeRows(): Promise<Result[]> {
  const { doors } = await measureSizes()
  const peers = await measurePeers()
  const of = { work: 'size', size: 'first load' }
  return [
    ...Object.entries(doors).map(([door, size]) => ({
      ...of,
      subject: door === 'waymark' ? door : `waymark/${door}`,
      counts: {
        ...(size.ownGzip === undefined ? {} : { ownGzip: size.ownGzip }),
        ...{ gzip: size.totalGzip, brotli: size.totalBrotli, lazyGzip: size.lazyGzip ?? 0 },
      },
    })),
    ...Object.entries(peers).map(([subject, { gzip, brotli, lazyGzip }]) => ({
      ...{ ...of, subject, counts: { gzip, brotli, lazyGzip } },
    })),
  ]
}
