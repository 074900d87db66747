//! Charts of the benchmarks, as SVG for the pages of documentation.
//!
//! A benchmark writes its chart to the file that `PIXVIEW_PLOT` names.
//!
//! Text and lines have the color of the text around the chart, so it can be read
//! on a light and on a dark page. A chart that is opened as a file follows the
//! colors of the system. A chart has no blank line, because a blank line ends HTML
//! within Markdown.

#![allow(dead_code, reason = "each benchmark draws other parts")]

use std::fmt::Write as _;

/// The width of a chart in its own units, which are pixels on a wide page.
pub const WIDTH: f64 = 800.0;

/// Colors that stand out from white and from black.
pub const COLORS: [&str; 6] = [
    "#3d8fd1", "#e07b39", "#3fa06d", "#a679c4", "#b8942a", "#d65f8f",
];

/// The opacity of lines that guide the eye.
const FAINT: &str = "0.25";

/// The width of a letter, about.
const LETTER: f64 = 6.6;

/// A chart that is being drawn.
pub struct Chart(String);

/// The side of a text that is at the given position.
#[derive(Clone, Copy)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

impl Chart {
    /// Begins a chart with two lines of heading, which take 50 units.
    pub fn new(title: &str, subtitle: &str, height: f64) -> Self {
        let mut chart = Chart(format!(
            "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {height:.0}' width='{WIDTH}' \
             style='max-width:100%;height:auto' role='img' aria-label='{title}' fill='currentColor' \
             font-family='\"Fira Sans\", Helvetica, Arial, sans-serif' font-size='13'>\n\
             <style>svg:root{{color:#222}}@media(prefers-color-scheme:dark){{svg:root{{color:#ddd}}}}</style>\n\
             <text x='0' y='18' font-size='17'>{title}</text>\n"
        ));
        chart.text(0.0, 38.0, Anchor::Start, subtitle);
        chart
    }

    pub fn text(&mut self, x: f64, y: f64, anchor: Anchor, text: &str) {
        self.styled_text(x, y, anchor, text, "");
    }

    pub fn bold_text(&mut self, x: f64, y: f64, anchor: Anchor, text: &str) {
        self.styled_text(x, y, anchor, text, " font-weight='bold'");
    }

    fn styled_text(&mut self, x: f64, y: f64, anchor: Anchor, text: &str, style: &str) {
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor='middle'",
            Anchor::End => " text-anchor='end'",
        };
        self.add(format_args!(
            "<text x='{x:.1}' y='{y:.1}'{anchor}{style}>{text}</text>"
        ));
    }

    /// Draws a horizontal line that guides the eye.
    pub fn row_line(&mut self, left: f64, right: f64, y: f64) {
        self.line(format_args!("M{left:.1} {y:.1}H{right:.1}"));
    }

    /// Draws a vertical line that guides the eye.
    pub fn column_line(&mut self, x: f64, top: f64, bottom: f64) {
        self.line(format_args!("M{x:.1} {top:.1}V{bottom:.1}"));
    }

    /// Draws a line in steps, from the right to the left: each point reaches to the
    /// x of the next one. Begins at `top` and ends at `left`.
    pub fn steps(&mut self, points: &[(f64, f64)], top: f64, left: f64) {
        let Some((x, _)) = points.first() else { return };
        let mut path = format!("M{x:.1} {top:.1}");
        for (i, (_, y)) in points.iter().enumerate() {
            let until = points.get(i + 1).map_or(left, |next| next.0);
            write!(path, "V{y:.1}H{until:.1}").expect("a `String` takes all");
        }
        self.add(format_args!(
            "<path d='{path}' fill='none' stroke='currentColor' stroke-opacity='0.6' stroke-width='1.5'/>"
        ));
    }

    /// Draws a line from a point to its label.
    pub fn leader(&mut self, from: (f64, f64), to: (f64, f64)) {
        let ((x, y), (u, v)) = (from, to);
        self.line(format_args!("M{x:.1} {y:.1}L{u:.1} {v:.1}"));
    }

    fn line(&mut self, path: std::fmt::Arguments) {
        self.add(format_args!(
            "<path d='{path}' stroke='currentColor' stroke-opacity='{FAINT}'/>"
        ));
    }

    pub fn bar(&mut self, x: f64, y: f64, width: f64, height: f64, color: &str) {
        self.add(format_args!(
            "<rect x='{x:.1}' y='{y:.1}' width='{width:.1}' height='{height:.1}' fill='{color}'/>"
        ));
    }

    pub fn dot(&mut self, x: f64, y: f64, color: &str) {
        self.add(format_args!(
            "<circle cx='{x:.1}' cy='{y:.1}' r='5' fill='{color}'/>"
        ));
    }

    fn add(&mut self, element: std::fmt::Arguments) {
        writeln!(self.0, "{element}").expect("a `String` takes all");
    }

    /// Returns the SVG.
    pub fn finish(self) -> String {
        self.0 + "</svg>\n"
    }
}

/// Bars that are compared: a group for each label, with a bar for each series.
pub struct Bars<'a> {
    pub title: &'a str,
    pub subtitle: &'a str,
    /// The names of the series; no legend if there is one series.
    pub series: &'a [&'a str],
    pub groups: &'a [(String, Vec<f64>)],
    /// The digits of a figure behind the point.
    pub digits: usize,
}

impl Bars<'_> {
    /// Draws the bars from left to right, with their figures.
    pub fn draw(&self) -> String {
        const BAR: f64 = 14.0;
        const GAP: f64 = 7.0;
        let top = if self.series.len() > 1 { 82.0 } else { 54.0 };
        let group = self.series.len() as f64 * BAR + GAP;
        let bottom = top + group * self.groups.len() as f64;
        let letters = self.groups.iter().map(|(name, _)| name.chars().count());
        let left = letters.max().unwrap_or(0) as f64 * LETTER + 14.0;
        let right = WIDTH - 44.0;
        let values = self.groups.iter().flat_map(|(_, values)| values);
        let largest = values.fold(1.0, |largest, &value| f64::max(largest, value));
        let x = |value: f64| left + value / largest * (right - left);

        let mut chart = Chart::new(self.title, self.subtitle, bottom + 24.0);
        if self.series.len() > 1 {
            let mut at = left;
            for (name, color) in self.series.iter().zip(COLORS) {
                chart.bar(at, top - 25.0, 11.0, 11.0, color);
                chart.text(at + 17.0, top - 15.0, Anchor::Start, name);
                at += 17.0 + LETTER * name.chars().count() as f64 + 22.0;
            }
        }
        for mark in (0..=largest as u32).step_by(step(largest)) {
            let x = x(f64::from(mark));
            chart.column_line(x, top - 4.0, bottom);
            chart.text(x, bottom + 17.0, Anchor::Middle, &format!("{mark}"));
        }
        for (index, (name, values)) in self.groups.iter().enumerate() {
            let y = top + index as f64 * group;
            let middle = y + (group - GAP) / 2.0;
            chart.text(left - 10.0, middle + 4.5, Anchor::End, name);
            for (bar, (&value, color)) in values.iter().zip(COLORS).enumerate() {
                let y = y + bar as f64 * BAR;
                chart.bar(left, y + 1.0, x(value) - left, BAR - 2.0, color);
                let figure = format!("{value:.*}", self.digits);
                chart.text(x(value) + 5.0, y + 11.5, Anchor::Start, &figure);
            }
        }
        chart.finish()
    }
}

/// Returns the distance of the marks of a scale that begins at 0: few enough for
/// their labels.
fn step(largest: f64) -> usize {
    let steps = (0..).flat_map(|power| [1, 2, 5].map(|digit| digit * 10_usize.pow(power)));
    let mut steps = steps.take(27);
    let few = |&step: &usize| largest / step as f64 <= 15.0;
    steps.find(few).unwrap_or(usize::MAX)
}

/// Writes a chart to the file that `PIXVIEW_PLOT` names, if it names one.
pub fn write(chart: impl FnOnce() -> String) {
    if let Some(path) = std::env::var_os("PIXVIEW_PLOT") {
        std::fs::write(&path, chart()).expect("PIXVIEW_PLOT names a file in a folder");
        println!("\nwrote {}", path.display());
    }
}
