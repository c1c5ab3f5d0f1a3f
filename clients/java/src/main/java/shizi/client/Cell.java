// Made by clients/generate of the service's OpenAPI description; do not edit.
package shizi.client;

import java.util.List;

/** One cell of a table. */
public final class Cell {
    private final int row;
    private final int column;
    private final int rowSpan;
    private final int columnSpan;
    private final String text;
    private final double confidence;
    private final List<Point> polygon;
    private final List<Integer> lines;

    Cell(JsonObject json) {
        row = json.required("row", JsonObject::integer);
        column = json.required("column", JsonObject::integer);
        rowSpan = json.required("row_span", JsonObject::integer);
        columnSpan = json.required("column_span", JsonObject::integer);
        text = json.required("text", JsonObject::text);
        confidence = json.required("confidence", JsonObject::number);
        polygon = json.listOf("polygon", Point::of, true);
        lines = json.listOf("lines", JsonObject::integer, true);
    }

    public int row() {
        return row;
    }

    public int column() {
        return column;
    }

    public int rowSpan() {
        return rowSpan;
    }

    public int columnSpan() {
        return columnSpan;
    }

    public String text() {
        return text;
    }

    public double confidence() {
        return confidence;
    }

    /** Clockwise from the text's top left. */
    public List<Point> polygon() {
        return polygon;
    }

    public List<Integer> lines() {
        return lines;
    }

    @Override
    public String toString() {
        return "Cell[" + "row=" + row + ", "
            + "column=" + column + ", "
            + "rowSpan=" + rowSpan + ", "
            + "columnSpan=" + columnSpan + ", "
            + "text=" + text + ", "
            + "confidence=" + confidence + ", "
            + "polygon=" + polygon + ", "
            + "lines=" + lines + "]";
    }
}
