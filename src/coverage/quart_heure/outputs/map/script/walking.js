/* Walking: minutes from every cell to the nearest of some services, and the way that one takes. */

/** @import { PackedWalks } from "./types.js" */
/** @import { Entries, Listed } from "./entries.js" */

/** @typedef {{ x: number, y: number, entries: Entries, place: number }} Source a service, by its position in the page */

/**
 * What a search finds of the nodes: metres to the nearest service, its place in the page, and the
 * edge by which one walks towards it, -1 at its door.
 * @typedef {{ metres: Float64Array, source: Int32Array, by: Int32Array }} Reached
 */

/**
 * Of each cell that is on the network: minutes, and the place of the service, -1 where none can be
 * reached.
 * @typedef {{ minutes: Float64Array, source: Int32Array, reached: Reached, sources: Source[] }} Minutes
 */

/**
 * The same with other services than those of the page, the nodes that are reached otherwise, some of
 * them twice, and the cells that may be.
 * @typedef {Minutes & { nodes: number[], positions: Int32Array }} Otherwise
 */

/** @typedef {{ points: number[][], metres: number, place: number }} Way from a cell to a service, in metres */

import { Barriers } from "./barriers.js";
import { onNetwork } from "./cells.js";
import { Doorways, listedEntries, neededEntries } from "./entries.js";
import { beginsOf, Streets } from "./streets.js";

const BUCKET = 8; // metres of a bucket of the queue
const BUCKETS = 1 << 13; // what is further waits in the last one

/** @type {Listed} */
const NONE = new Map();

export class Walking {
  /**
   * @param {PackedWalks} walks
   * @param {Streets} streets
   * @param {Doorways} doorways
   * @param {{ cells: Int32Array, x: Float64Array, y: Float64Array }} ground the cells on the network
   * @param {ReturnType<typeof neededEntries>} meets where these enter it
   * @param {Entries[]} services where those of the page do
   */
  constructor(walks, streets, doorways, ground, meets, services) {
    this.walks = walks;
    this.streets = streets;
    this.doorways = doorways;
    this.cells = ground.cells;
    this.x = ground.x;
    this.y = ground.y;
    this.entries = meets.entries;
    this.links = meets.links;
    this.services = services;
    this.onEdge = this.byEdge();
    this.atNode = this.byNode();
    // What a search needs is made once.
    this.relaxed = new Float64Array(streets.n);
    this.lost = new Uint8Array(streets.n);
    this.again = new Uint8Array(ground.cells.length);
    this.where = new Int32Array(ground.cells.length);
    this.heads = new Int32Array(BUCKETS);
    this.waiting = { node: new Int32Array(1 << 16), next: new Int32Array(1 << 16) };
  }

  /**
   * @param {PackedWalks} walks
   * @param {{ codes: Uint8Array, width: number, off: number }} grid
   */
  static async open(walks, { codes, width, off }) {
    const [streets, barriers, listed, listedServices] = await Promise.all([
      Streets.open(walks),
      Barriers.open(walks.barriers, walks.unit_m),
      listedEntries(walks.cells),
      listedEntries(walks.service_entries),
    ]);
    const doorways = new Doorways(walks, streets, barriers);
    const cells = onNetwork(codes, off);
    const x = new Float64Array(cells.length);
    const y = new Float64Array(cells.length);
    for (let n = 0; n < cells.length; n++) {
      x[n] = ((cells[n] % width) + 0.5) * walks.cell_m;
      y[n] = (Math.floor(cells[n] / width) + 0.5) * walks.cell_m;
    }
    /** @type {Listed} */
    const here = new Map();
    cells.forEach((cell, n) => {
      const streetsOfCell = listed.get(cell);
      if (streetsOfCell) here.set(n, streetsOfCell);
    });
    const meets = neededEntries(streets, doorways.at(x, y, walks.always_m, here));
    const serviceX = Float64Array.from(walks.services, (at) => at[0]);
    const serviceY = Float64Array.from(walks.services, (at) => at[1]);
    const all = doorways.at(serviceX, serviceY, walks.snap_m, listedServices);
    const services = walks.services.map((_, n) => entriesOf(all, n));
    return new Walking(walks, streets, doorways, { cells, x, y }, meets, services);
  }

  /**
   * A service of the page.
   * @param {number} place
   * @returns {Source}
   */
  service(place) {
    const [x, y] = this.walks.services[place];
    return { x, y, entries: this.services[place], place };
  }

  /**
   * A service that does not stand there yet; in metres from the corner of the grid.
   * @param {number} x
   * @param {number} y
   * @param {number} place
   * @returns {Source}
   */
  another(x, y, place) {
    const entries = this.doorways.at(Float64Array.of(x), Float64Array.of(y), this.walks.snap_m, NONE);
    return { x, y, entries, place };
  }

  /* The cells that may walk to each node, and the metres. */
  byNode() {
    const { begins, node, metres } = this.links;
    const counts = new Int32Array(this.streets.n);
    for (let i = 0; i < node.length; i++) counts[node[i]]++;
    const nodeBegins = beginsOf(counts);
    const next = nodeBegins.slice();
    const cell = new Int32Array(node.length);
    const far = new Float64Array(node.length);
    for (let n = 0; n + 1 < begins.length; n++) {
      for (let i = begins[n]; i < begins[n + 1]; i++) {
        const at = next[node[i]]++;
        cell[at] = n;
        far[at] = metres[i];
      }
    }
    return { begins: nodeBegins, cell, metres: far };
  }

  /* The entries of cells at each edge. */
  byEdge() {
    const { begins, edge } = this.entries;
    const counts = new Int32Array(this.streets.u.length);
    for (let i = 0; i < edge.length; i++) counts[edge[i]]++;
    const edgeBegins = beginsOf(counts);
    const next = edgeBegins.slice();
    const [entry, cell] = [new Int32Array(edge.length), new Int32Array(edge.length)];
    for (let n = 0; n + 1 < begins.length; n++) {
      for (let i = begins[n]; i < begins[n + 1]; i++) {
        const at = next[edge[i]]++;
        entry[at] = i;
        cell[at] = n;
      }
    }
    return { begins: edgeBegins, entry, cell };
  }

  /**
   * From all services at once, against the direction of walking.
   * @param {Source[]} sources
   * @returns {Reached}
   */
  search(sources) {
    const { n } = this.streets;
    const reached = {
      metres: new Float64Array(n).fill(Infinity),
      source: new Int32Array(n).fill(-1),
      by: new Int32Array(n).fill(-1),
    };
    this.spread(reached, sources.map((one) => ({ one, place: one.place })), null);
    return reached;
  }

  /**
   * Spread from doors through the streets for as long as that is nearer than what is known.
   * @param {Reached} reached is written to
   * @param {{ one: Source, place: number }[]} doors
   * @param {Uint8Array | null} lost nodes that are to be reached anew from around them
   * @returns {number[]} the nodes that are reached otherwise, some of them twice
   */
  spread({ metres, source, by }, doors, lost) {
    const { streets, relaxed, heads } = this;
    const { begins, node: heirs, by: edges, metres: lengths } = streets.linked;
    /** @type {number[]} */
    const otherwise = [];
    relaxed.fill(Infinity);
    heads.fill(-1);
    let { node, next } = this.waiting;
    let size = 0;
    let last = 0;
    /** @type {(which: number, length: number, from: number, edge: number) => void} */
    const reach = (which, length, from, edge) => {
      if (size === node.length) {
        const wider = { node: new Int32Array(size * 2), next: new Int32Array(size * 2) };
        wider.node.set(node);
        wider.next.set(next);
        this.waiting = wider;
        ({ node, next } = wider);
      }
      metres[which] = length;
      source[which] = from;
      by[which] = edge;
      const bucket = Math.min(Math.floor(length / BUCKET), BUCKETS - 1);
      node[size] = which;
      next[size] = heads[bucket];
      heads[bucket] = size++;
      if (bucket > last) last = bucket;
    };
    for (const { one, place } of doors) {
      const { edge, share, metres: access } = one.entries;
      for (let i = 0; i < edge.length; i++) {
        const e = edge[i];
        const [u, v] = [streets.u[e], streets.v[e]];
        const [toU, toV] = [access[i] + share[i] * streets.there[e], access[i] + (1 - share[i]) * streets.back[e]];
        if ((streets.forward(e) || share[i] === 0) && toU < metres[u]) reach(u, toU, place, -1);
        if ((streets.backward(e) || share[i] === 1) && toV < metres[v]) reach(v, toV, place, -1);
      }
    }
    if (lost) {
      for (let tail = 0; tail < streets.n; tail++) {
        if (lost[tail] || metres[tail] === Infinity) continue;
        for (let i = begins[tail]; i < begins[tail + 1]; i++) {
          const onward = metres[tail] + lengths[i];
          if (lost[heirs[i]] && onward < metres[heirs[i]]) reach(heirs[i], onward, source[tail], edges[i]);
        }
      }
    }
    for (let bucket = 0; bucket <= last; bucket++) {
      while (heads[bucket] >= 0) {
        const tail = node[heads[bucket]];
        heads[bucket] = next[heads[bucket]];
        const length = metres[tail];
        if (relaxed[tail] === length) continue; // waited here twice, or in a later bucket before
        relaxed[tail] = length;
        otherwise.push(tail);
        for (let i = begins[tail]; i < begins[tail + 1]; i++) {
          const onward = length + lengths[i];
          if (onward < metres[heirs[i]]) reach(heirs[i], onward, source[tail], edges[i]);
        }
      }
    }
    return otherwise;
  }

  /**
   * @param {Source[]} sources
   * @returns {Minutes}
   */
  minutes(sources) {
    const count = this.cells.length;
    const found = { minutes: new Float64Array(count), source: new Int32Array(count), reached: this.search(sources), sources };
    for (let n = 0; n < count; n++) this.walkFrom(n, found);
    this.walkAlong(sources, found, null);
    return found;
  }

  /**
   * The same from what is known of other services: only where it matters is anything searched.
   * @param {Minutes} base
   * @param {Source[]} sources
   * @param {Otherwise} found what was found so last, which is written over
   * @returns {Otherwise}
   */
  minutesFrom(base, sources, found) {
    putBack(found, base);
    found.sources = sources;
    const kept = new Uint8Array(Math.max(...[...base.sources, ...sources].map((one) => one.place), 0) + 1);
    const staying = new Set(sources);
    let gone = false;
    for (const one of base.sources) {
      if (staying.has(one)) kept[one.place] = 1;
      else gone = true;
    }
    const { reached, nodes } = found;
    /** @type {Uint8Array | null} */
    let lost = null;
    if (gone) {
      const { source } = base.reached;
      lost = this.lost.fill(0);
      for (let node = 0; node < source.length; node++) {
        if (source[node] < 0 || kept[source[node]]) continue;
        lost[node] = 1;
        nodes.push(node);
        reached.metres[node] = Infinity;
        reached.source[node] = reached.by[node] = -1;
      }
    }
    const doors = sources.filter((one) => gone || !kept[one.place]).map((one) => ({ one, place: one.place }));
    for (const node of this.spread(reached, doors, lost)) nodes.push(node);
    if (gone) this.walkAgain(base, found, kept);
    else this.walkNearer(found, doors.map(({ one }) => one));
    return found;
  }

  /**
   * Where services only come, no walk is longer: cells are told of the nodes and doors that are nearer.
   * @param {Otherwise} found
   * @param {Source[]} coming
   */
  walkNearer(found, coming) {
    const { minutes, source, reached, nodes } = found;
    const { begins, cell, metres } = this.atNode;
    const { metres_per_min: pace } = this.walks;
    const [again, positions] = [this.again.fill(0), this.where];
    let size = 0;
    for (const node of nodes) {
      const [length, from] = [reached.metres[node], reached.source[node]];
      const end = begins[node + 1];
      for (let i = begins[node]; i < end; i++) {
        const n = cell[i];
        const time = (length + metres[i]) / pace;
        if (time >= minutes[n]) continue;
        minutes[n] = time;
        source[n] = from;
        if (again[n]) continue;
        again[n] = 1;
        positions[size++] = n;
      }
    }
    for (const one of coming) {
      this.alongEdges(one, (n, length) => {
        if (length / pace >= minutes[n]) return;
        minutes[n] = length / pace;
        source[n] = one.place;
        if (!again[n]) positions[size++] = n;
        again[n] = 1;
      });
    }
    found.positions = positions.slice(0, size);
  }

  /**
   * Where some go, the cells that walked to them, or to nodes that are reached otherwise, look again.
   * @param {Minutes} base
   * @param {Otherwise} found
   * @param {Uint8Array} kept by place of a service, whether it stays
   */
  walkAgain(base, found, kept) {
    const [again, positions] = [this.again.fill(0), this.where];
    const { begins, cell } = this.atNode;
    for (const node of found.nodes) for (let i = begins[node]; i < begins[node + 1]; i++) again[cell[i]] = 1;
    for (let n = 0; n < again.length; n++) if (base.source[n] >= 0 && !kept[base.source[n]]) again[n] = 1;
    for (const one of found.sources) {
      if (!kept[one.place]) this.alongEdges(one, (n) => (again[n] = 1));
    }
    let size = 0;
    for (let n = 0; n < again.length; n++) {
      if (!again[n]) continue;
      this.walkFrom(n, found);
      positions[size++] = n;
    }
    this.walkAlong(found.sources, found, again);
    found.positions = positions.slice(0, size);
  }

  /**
   * From a cell by the streets.
   * @param {number} n
   * @param {Minutes} found
   */
  walkFrom(n, { minutes, source, reached }) {
    const { begins, node, metres } = this.links;
    let [least, at] = [Infinity, -1];
    for (let i = begins[n]; i < begins[n + 1]; i++) {
      const length = reached.metres[node[i]] + metres[i];
      if (length < least) {
        least = length;
        at = node[i];
      }
    }
    minutes[n] = least / this.walks.metres_per_min;
    source[n] = at < 0 ? -1 : reached.source[at];
  }

  /**
   * From cells at the very street of a service.
   * @param {Source[]} sources
   * @param {Minutes} found
   * @param {Uint8Array | null} only
   */
  walkAlong(sources, { minutes, source }, only) {
    for (const one of sources) {
      this.alongEdges(one, (cell, length) => {
        if ((only && !only[cell]) || length / this.walks.metres_per_min >= minutes[cell]) return;
        minutes[cell] = length / this.walks.metres_per_min;
        source[cell] = one.place;
      });
    }
  }

  /**
   * Cells that enter at the same street as a service may walk straight to it.
   * @param {Source} one
   * @param {(cell: number, metres: number, entry: number, door: number) => void} call
   */
  alongEdges({ entries }, call) {
    const { streets, onEdge } = this;
    const { share, metres } = this.entries;
    entries.edge.forEach((edge, door) => {
      for (let i = onEdge.begins[edge]; i < onEdge.begins[edge + 1]; i++) {
        const entry = onEdge.entry[i];
        const along = entries.share[door] - share[entry];
        const free = along === 0 || (along > 0 ? streets.forward(edge) : streets.backward(edge));
        if (!free) continue;
        const length = Math.abs(along) * (along > 0 ? streets.there[edge] : streets.back[edge]);
        call(onEdge.cell[i], entries.metres[door] + metres[entry] + length, entry, door);
      }
    });
  }

  /**
   * The way from a cell to the nearest of some services: null where there is none.
   * @param {number} cell position of the cell in the grid
   * @param {Source[]} sources
   * @returns {Way | null}
   */
  way(cell, sources) {
    const n = this.cells.indexOf(cell);
    if (n < 0 || !sources.length) return null;
    const { metres, source, by } = this.search(sources);
    const { streets } = this;
    const { begins, edge, share, metres: access } = this.entries;
    let least = Infinity;
    /** @type {() => Way} */
    let draw = () => ({ points: [], metres: 0, place: -1 });
    for (let i = begins[n]; i < begins[n + 1]; i++) {
      const e = edge[i];
      /** @type {(node: number, to: number, length: number) => void} */
      const leave = (node, to, length) => {
        if (!(metres[node] + access[i] + length < least)) return;
        least = metres[node] + access[i] + length;
        const total = least;
        draw = () => this.drawn([[this.x[n], this.y[n]], ...streets.part(e, share[i], to)], node, { source, by }, sources, total);
      };
      if (streets.backward(e) || share[i] === 0) leave(streets.u[e], 0, share[i] * streets.back[e]);
      if (streets.forward(e) || share[i] === 1) leave(streets.v[e], 1, (1 - share[i]) * streets.there[e]);
    }
    sources.forEach((one) => {
      this.alongEdges(one, (at, length, entry, door) => {
        if (at !== n || length >= least) return;
        least = length;
        const street = one.entries.edge[door];
        const points = [[this.x[n], this.y[n]], ...streets.part(street, share[entry], one.entries.share[door]), [one.x, one.y]];
        draw = () => ({ points, metres: length, place: one.place });
      });
    });
    return least === Infinity ? null : draw();
  }

  /**
   * From a node on: street after street towards the service, then from its street to its door.
   * @param {number[][]} points
   * @param {number} node
   * @param {{ source: Int32Array, by: Int32Array }} reached
   * @param {Source[]} sources
   * @param {number} metres
   * @returns {Way}
   */
  drawn(points, node, { source, by }, sources, metres) {
    const { streets } = this;
    let at = node;
    while (by[at] >= 0) {
      const e = by[at];
      const ahead = streets.u[e] === at;
      points.push(...streets.part(e, ahead ? 0 : 1, ahead ? 1 : 0));
      at = ahead ? streets.v[e] : streets.u[e];
    }
    const one = /** @type {Source} */ (sources.find(({ place }) => place === source[node]));
    const { edge, share, metres: access } = one.entries;
    let [best, least, end] = [-1, Infinity, 0];
    edge.forEach((e, i) => {
      const byU = streets.u[e] === at && (streets.forward(e) || share[i] === 0) ? access[i] + share[i] * streets.there[e] : Infinity;
      const byV = streets.v[e] === at && (streets.backward(e) || share[i] === 1) ? access[i] + (1 - share[i]) * streets.back[e] : Infinity;
      if (Math.min(byU, byV) >= least) return;
      [best, least, end] = [i, Math.min(byU, byV), byU <= byV ? 0 : 1];
    });
    if (best >= 0) points.push(...streets.part(edge[best], end, share[best]));
    points.push([one.x, one.y]);
    return { points, metres, place: one.place };
  }
}

/**
 * The entries of one of some places.
 * @param {Entries} all
 * @param {number} place
 * @returns {Entries}
 */
function entriesOf({ begins, edge, share, metres }, place) {
  const [from, to] = [begins[place], begins[place + 1]];
  return {
    begins: Int32Array.of(0, to - from),
    edge: edge.slice(from, to),
    share: share.slice(from, to),
    metres: metres.slice(from, to),
  };
}

/**
 * What is found of other services, before any is looked for.
 * @param {Minutes} base
 * @returns {Otherwise}
 */
export function asBefore({ minutes, source, reached, sources }) {
  const { metres, source: from, by } = reached;
  return {
    minutes: minutes.slice(),
    source: source.slice(),
    reached: { metres: metres.slice(), source: from.slice(), by: by.slice() },
    sources,
    nodes: [],
    positions: new Int32Array(),
  };
}

/**
 * Undo what was found of other services.
 * @param {Otherwise} found
 * @param {Minutes} base
 */
function putBack({ minutes, source, reached, nodes, positions }, base) {
  for (const node of nodes) {
    reached.metres[node] = base.reached.metres[node];
    reached.source[node] = base.reached.source[node];
    reached.by[node] = base.reached.by[node];
  }
  for (const n of positions) {
    minutes[n] = base.minutes[n];
    source[n] = base.source[n];
  }
  nodes.length = 0;
}
