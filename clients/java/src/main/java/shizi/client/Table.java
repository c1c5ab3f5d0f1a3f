// Made by clients/generate of the service's OpenAPI description; do not edit.
package shizi.client;

import java.util.List;

/** One table; {@code html} is the whole of it. */
public final class Table {
    private final String html;
    private final int rows;
    private final int columns;
    private final boolean ruled;
    private final List<Point> polygon;
    private final List<Cell> cells;

    Table(JsonObject json) {
        html = json.required("html", JsonObject::text);
        rows = json.required("rows", JsonObject::integer);
        columns = json.required("columns", JsonObject::integer);
        ruled = json.required("ruled", JsonObject::truth);
        polygon = json.listOf("polygon", Point::of, true);
        cells = json.listOf("cells", JsonObject.of(Cell::new), true);
    }

    public String html() {
        return html;
    }

    public int rows() {
        return rows;
    }

    public int columns() {
        return columns;
    }

    public boolean ruled() {
        return ruled;
    }

    /** Clockwise from the text's top left. */
    public List<Point> polygon() {
        return polygon;
    }

    public List<Cell> cells() {
        return cells;
    }

    @Override
    public String toString() {
        return "Table[" + "html=" + html + ", "
            + "rows=" + rows + ", "
            + "columns=" + columns + ", "
            + "ruled=" + ruled + ", "
            + "polygon=" + polygon + ", "
            + "cells=" + cells + "]";
    }
}
