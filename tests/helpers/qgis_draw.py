"""Run by the Python that QGIS is installed for: draws each layer of a GeoPackage by its own style.

``qgis_draw.py FILE FOLDER``: writes FOLDER/LAYER.png, and prints as JSON what QGIS made of the
styles: of each layer its renderer, its classes with the ones that are on, and colours at points
that stand in the file ``FOLDER/points.json`` as layer → name → [x, y].
"""

import json
import os
import sys
from pathlib import Path

from qgis.core import (
    QgsApplication,
    QgsMapRendererParallelJob,
    QgsMapSettings,
    QgsPointXY,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor

LAYERS = ("districts", "isochrones", "gaps", "services")


def main(file: str, folder: Path) -> None:
    QgsApplication.setPrefixPath("/usr", True)
    application = QgsApplication([], False)
    application.initQgis()
    points = json.loads((folder / "points.json").read_text("utf-8"))
    found = {}
    layers = []  # kept: QGIS draws what Python still holds
    for name in LAYERS:
        layer = QgsVectorLayer(f"{file}|layername={name}", name, "ogr")
        layers.append(layer)
        assert layer.isValid(), name
        settings = QgsMapSettings()
        settings.setLayers([layer])
        settings.setDestinationCrs(layer.crs())
        settings.setExtent(layers[0].extent().buffered(100))
        settings.setOutputSize(QSize(900, 900))
        settings.setBackgroundColor(QColor("white"))
        job = QgsMapRendererParallelJob(settings)
        job.start()
        job.waitForFinished()
        image = job.renderedImage()
        image.save(str(folder / f"{name}.png"))
        to_pixel = settings.mapToPixel()
        colours = {}
        for key, (x, y) in points.get(name, {}).items():
            at = to_pixel.transform(QgsPointXY(x, y))
            colours[key] = image.pixelColor(round(at.x()), round(at.y())).name()
        renderer = layer.renderer()
        found[name] = {
            "renderer": renderer.type(),
            "labels": layer.labelsEnabled(),
            "classes": [item.label() for item in renderer.legendSymbolItems()],
            "on": [rule.label() for rule in renderer.rootRule().children() if rule.active()]
            if renderer.type() == "RuleRenderer"
            else [],
            "order": renderer.orderByEnabled(),
            "colours": colours,
        }
    sys.stdout.write(json.dumps(found, ensure_ascii=False) + "\n")
    sys.stdout.flush()
    # QGIS may fall over what Python still holds when it is taken down in order.
    os._exit(0)


main(sys.argv[1], Path(sys.argv[2]))
