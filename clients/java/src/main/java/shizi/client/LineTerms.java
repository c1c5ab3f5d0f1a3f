package shizi.client;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** What may be said of a corrected line beside its right text; each method gives new terms. */
public final class LineTerms {
    private static final LineTerms NONE = new LineTerms(Map.of());

    private final Map<String, String> values;

    private LineTerms(Map<String, String> values) {
        this.values = values;
    }

    /** Say nothing. */
    public static LineTerms none() {
        return NONE;
    }

    /** Where it stands, as its answer has it: the source is then its page or document, else its own picture. */
    public LineTerms polygon(List<Point> corners) {
        return with("polygon", corners.stream().map(Point::toJson).collect(Collectors.joining(",", "[", "]")));
    }

    /** The page it stands on, from 1. */
    public LineTerms page(int number) {
        return with("page", String.valueOf(number));
    }

    /** The rotation of the page's answer, in degrees. */
    public LineTerms rotation(int degrees) {
        return with("rotation", String.valueOf(degrees));
    }

    /** Whether it is an upright column. */
    public LineTerms vertical(boolean vertical) {
        return with("vertical", String.valueOf(vertical));
    }

    /** What opens an encrypted PDF. */
    public LineTerms password(String password) {
        return with("password", password);
    }

    /** Whether the line's own picture holds more than the line. */
    public LineTerms margins(boolean margins) {
        return with("margins", String.valueOf(margins));
    }

    /** What had been read, and by which model. */
    public LineTerms read(String text, String model) {
        return with("read", text).with("model", model);
    }

    boolean onPage() {
        return values.containsKey("polygon");
    }

    Map<String, String> values() {
        return values;
    }

    private LineTerms with(String name, String value) {
        Map<String, String> more = new LinkedHashMap<>(values);
        more.put(name, value);
        return new LineTerms(Collections.unmodifiableMap(more));
    }
}
