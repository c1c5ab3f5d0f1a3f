// Made by clients/generate of the service's OpenAPI description; do not edit.
package shizi.client;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/** One field of a form. {@code rows}: of a list (an invoice's items), each row's fields. */
public final class Field {
    private final String value;
    private final String text;
    private final double confidence;
    private final List<Point> polygon;
    private final int page;
    private final String source;
    private final List<Check> checks;
    private final Repair repaired;
    private final List<Map<String, Field>> rows;

    Field(JsonObject json) {
        value = json.textOrEmpty("value");
        text = json.required("text", JsonObject::text);
        confidence = json.required("confidence", JsonObject::number);
        polygon = json.listOf("polygon", Point::of, false);
        page = json.required("page", JsonObject::integer);
        source = json.required("source", JsonObject::text);
        checks = json.listOf("checks", JsonObject.of(Check::new), true);
        repaired = json.optional("repaired", Repair::new);
        rows = json.listOf("rows", JsonObject.entries(JsonObject.of(Field::new)), false);
    }

    public String value() {
        return value;
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

    public int page() {
        return page;
    }

    public String source() {
        return source;
    }

    public List<Check> checks() {
        return checks;
    }

    public Optional<Repair> repaired() {
        return Optional.ofNullable(repaired);
    }

    public List<Map<String, Field>> rows() {
        return rows;
    }

    @Override
    public String toString() {
        return "Field[" + "value=" + value + ", "
            + "text=" + text + ", "
            + "confidence=" + confidence + ", "
            + "polygon=" + polygon + ", "
            + "page=" + page + ", "
            + "source=" + source + ", "
            + "checks=" + checks + ", "
            + "repaired=" + repaired + ", "
            + "rows=" + rows + "]";
    }
}
