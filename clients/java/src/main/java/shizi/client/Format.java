// Made by clients/generate of the service's OpenAPI description; do not edit.
package shizi.client;

/** How a result is written. */
public enum Format {
    TEXT, JSON, MARKDOWN, HTML, HOCR, ALTO, CSV, XLSX, DOCX, PDF;

    @Override
    public String toString() {
        return name().toLowerCase(java.util.Locale.ROOT);
    }
}
