/* What the map's page has beside its own modules: Leaflet's inner names that its classes use, and
   the name under which it starts. */

import * as L from "leaflet";
import type { CoverageMap } from "../../src/coverage/quart_heure/outputs/map/script/map.js";
import type { Corners } from "../../src/coverage/quart_heure/outputs/map/script/marks.js";

declare module "leaflet" {
  interface CircleMarkerOptions {
    shape?: Corners;
    half?: boolean;
  }

  interface CircleMarker {
    options: CircleMarkerOptions;
    _path?: SVGElement;
    _point: Point;
    _radius: number;
    _renderer: { _setPath(layer: CircleMarker, path: string): void };
  }

  interface Popup {
    _container: HTMLElement;
    _map: Map;
  }

  interface Renderer {
    _bounds: Bounds & { min: Point };
    _container: HTMLCanvasElement;
    _update(): void;
  }
}

declare global {
  interface Window {
    quartHeure: { start(map: L.Map): Promise<void>; map?: CoverageMap };
  }
}
