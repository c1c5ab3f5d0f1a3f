// Made by clients/generate of the service's OpenAPI description; do not edit.
package shizi.client;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/** What a caller may choose for one reading; each method gives new options. */
public final class ReadOptions {
    private static final ReadOptions DEFAULTS = new ReadOptions(Map.of());

    private final Map<String, String> values;

    private ReadOptions(Map<String, String> values) {
        this.values = values;
    }

    /** Leave everything to the service. */
    public static ReadOptions defaults() {
        return DEFAULTS;
    }

    /** Values of mode. */
    public enum Mode {
        FAST, AUTO, ACCURATE;

        @Override
        public String toString() {
            return name().toLowerCase(java.util.Locale.ROOT);
        }
    }

    /** Choose mode. */
    public ReadOptions mode(Mode mode) {
        return with("mode", mode.toString());
    }

    /** Values of enhance. */
    public enum Enhance {
        AUTO, NONE, CLASSIC;

        @Override
        public String toString() {
            return name().toLowerCase(java.util.Locale.ROOT);
        }
    }

    /** Choose enhance. */
    public ReadOptions enhance(Enhance enhance) {
        return with("enhance", enhance.toString());
    }

    /** Values of orientation. */
    public enum Orientation {
        AUTO, NONE;

        @Override
        public String toString() {
            return name().toLowerCase(java.util.Locale.ROOT);
        }
    }

    /** Choose orientation. */
    public ReadOptions orientation(Orientation orientation) {
        return with("orientation", orientation.toString());
    }

    /** Values of detail. */
    public enum Detail {
        LINE, WORD, CHARACTER;

        @Override
        public String toString() {
            return name().toLowerCase(java.util.Locale.ROOT);
        }
    }

    /** Choose detail. */
    public ReadOptions detail(Detail detail) {
        return with("detail", detail.toString());
    }

    /** Values of tables. */
    public enum Tables {
        NONE, AUTO, SKIP;

        @Override
        public String toString() {
            return name().toLowerCase(java.util.Locale.ROOT);
        }
    }

    /** Choose tables. */
    public ReadOptions tables(Tables tables) {
        return with("tables", tables.toString());
    }

    /** Values of fields. */
    public enum Fields {
        NONE, AUTO;

        @Override
        public String toString() {
            return name().toLowerCase(java.util.Locale.ROOT);
        }
    }

    /** Choose fields. */
    public ReadOptions fields(Fields fields) {
        return with("fields", fields.toString());
    }

    /** Values of pdf. */
    public enum Pdf {
        AUTO, OCR, TEXT;

        @Override
        public String toString() {
            return name().toLowerCase(java.util.Locale.ROOT);
        }
    }

    /** Choose pdf. */
    public ReadOptions pdf(Pdf pdf) {
        return with("pdf", pdf.toString());
    }

    /** Which pages of a document: "1-3,7,10-". */
    public ReadOptions pages(String pages) {
        return with("pages", pages);
    }

    /** Choose password. */
    public ReadOptions password(String password) {
        return with("password", password);
    }

    /** A template of the operator's, by name. */
    public ReadOptions template(String template) {
        return with("template", template);
    }

    /** Read every line as one of the texts this small regular expression allows. */
    public ReadOptions pattern(String pattern) {
        return with("pattern", pattern);
    }

    /** How long its caller waits; also the header X-Deadline-Ms. */
    public ReadOptions deadlineMs(int deadlineMs) {
        return with("deadline_ms", String.valueOf(deadlineMs));
    }

    /** Values of priority. */
    public enum Priority {
        INTERACTIVE, BULK;

        @Override
        public String toString() {
            return name().toLowerCase(java.util.Locale.ROOT);
        }
    }

    /** Bulk may be passed by those who wait; also the header X-Priority. */
    public ReadOptions priority(Priority priority) {
        return with("priority", priority.toString());
    }

    /** Neither answer from the cache nor keep the answer; also Cache-Control: no-store. */
    public ReadOptions noStore(boolean noStore) {
        return with("no_store", String.valueOf(noStore));
    }

    Map<String, String> values() {
        return values;
    }

    private ReadOptions with(String name, String value) {
        Map<String, String> more = new LinkedHashMap<>(values);
        more.put(name, value);
        return new ReadOptions(Collections.unmodifiableMap(more));
    }
}
