//! A chart of speed and size.

use super::plot::{Anchor, Chart, WIDTH};

/// An encoder in the chart.
pub struct Point<'a> {
    pub name: &'a str,
    pub color: &'a str,
    /// On a logarithmic scale.
    pub speed: f64,
    pub size: f64,
    /// Whether the name stands out.
    pub ours: bool,
}

impl Point<'_> {
    /// Returns whether this point is both faster and smaller.
    fn beats(&self, other: &Self) -> bool {
        self.speed > other.speed && self.size < other.size
    }
}

/// Returns whether a point is on the frontier: no other is both faster and
/// smaller.
pub fn on_frontier(points: &[Point], point: &Point) -> bool {
    !points.iter().any(|other| other.beats(point))
}

/// Draws speed to the right, on a logarithmic scale, and size upwards.
pub struct Scatter<'a> {
    pub title: &'a str,
    pub subtitle: &'a str,
    pub speed_unit: &'a str,
    pub size_unit: &'a str,
    pub points: &'a [Point<'a>],
    /// Names and colors of packages whose points are named by their levels.
    pub legend: &'a [(&'a str, &'a str)],
    /// Encoders with larger files are left out.
    pub largest: f64,
    /// Whether a line joins the points of the frontier.
    pub frontier: bool,
    pub height: f64,
}

const LEFT: f64 = 44.0;
const RIGHT: f64 = WIDTH - 16.0;
const TOP: f64 = 84.0;
/// From the axis to the lower edge.
const BELOW: f64 = 54.0;

impl Scatter<'_> {
    pub fn draw(&self) -> String {
        let bottom = self.height - BELOW;
        let shown: Vec<&Point> = self
            .points
            .iter()
            .filter(|p| p.size < self.largest)
            .collect();
        let range = |values: &mut dyn Iterator<Item = f64>| {
            values.fold((f64::MAX, f64::MIN), |(low, high), v| {
                (low.min(v), high.max(v))
            })
        };
        let (slow, quick) = range(&mut shown.iter().map(|p| p.speed.log10()));
        let (slow, quick) = (slow - 0.12, quick + 0.12);
        let (small, large) = range(&mut shown.iter().map(|p| p.size));
        let step = if large - small < 0.2 { 0.02 } else { 0.05 };
        let (small, large) = (
            ((small - step / 2.0) / step).floor() * step,
            ((large + step / 2.0) / step).ceil() * step,
        );
        let x = |speed: f64| LEFT + (speed.log10() - slow) / (quick - slow) * (RIGHT - LEFT);
        let y = |size: f64| TOP + (large - size) / (large - small) * (bottom - TOP);

        let mut chart = Chart::new(self.title, self.subtitle, self.height);
        let mut size = small;
        while size < large + 1e-9 {
            chart.row_line(LEFT, RIGHT, y(size));
            let label = format!("{size:.2}");
            chart.text(LEFT - 8.0, y(size) + 4.0, Anchor::End, &label);
            size += step;
        }
        for power in -3..5 {
            for digit in [1.0, 2.0, 5.0] {
                let speed = digit * 10f64.powi(power);
                if (slow..quick).contains(&speed.log10()) {
                    chart.column_line(x(speed), TOP, bottom);
                    chart.text(x(speed), bottom + 20.0, Anchor::Middle, &speed.to_string());
                }
            }
        }
        chart.text(RIGHT, bottom + 42.0, Anchor::End, self.speed_unit);
        chart.text(0.0, TOP - 14.0, Anchor::Start, self.size_unit);
        let mut at = 260.0;
        if !self.legend.is_empty() {
            chart.text(at - 12.0, TOP - 14.0, Anchor::End, "levels of");
        }
        for (name, color) in self.legend {
            chart.dot(at, TOP - 18.0, color);
            chart.text(at + 10.0, TOP - 14.0, Anchor::Start, name);
            at += 10.0 + 6.5 * name.len() as f64 + 24.0;
        }
        // Labels go where they cover neither a point, the frontier nor another label.
        let mut taken: Vec<[f64; 4]> = shown
            .iter()
            .map(|p| {
                let (x, y) = (x(p.speed), y(p.size));
                [x - 6.0, y - 6.0, x + 6.0, y + 6.0]
            })
            .collect();
        if self.frontier {
            let mut best: Vec<_> = shown
                .iter()
                .filter(|p| on_frontier(self.points, p))
                .map(|p| (x(p.speed), y(p.size)))
                .collect();
            best.sort_by(|a, b| b.0.total_cmp(&a.0));
            chart.steps(&best, TOP, LEFT);
            let mut above = TOP;
            for (i, &(x, y)) in best.iter().enumerate() {
                let until = best.get(i + 1).map_or(LEFT, |next| next.0);
                taken.push([x - 1.0, above, x + 1.0, y]);
                taken.push([until, y - 1.0, x, y + 1.0]);
                above = y;
            }
            let large = self.points.iter().filter(|p| p.size >= self.largest);
            let large: Vec<_> = large.map(|p| format!("{} {:.2}", p.name, p.size)).collect();
            if !large.is_empty() {
                let text = format!("larger: {}", large.join(", "));
                chart.text(0.0, bottom + 42.0, Anchor::Start, &text);
            }
        }
        for point in &shown {
            let (px, py) = (x(point.speed), y(point.size));
            let width = if point.ours { 7.0 } else { 6.5 } * point.name.len() as f64;
            // To the right and to the left, then above and below, further and further.
            let beside = [
                (px + 10.0, py + 4.0, Anchor::Start),
                (px - 10.0, py + 4.0, Anchor::End),
                (px, py - 9.0, Anchor::Middle),
                (px, py + 18.0, Anchor::Middle),
            ];
            let rows = [-11.0, 20.0, -26.0, 35.0, -41.0, 50.0, -56.0, 65.0];
            let apart = rows.into_iter().flat_map(|dy| {
                let (left, right) = (px + 6.0, px - 6.0);
                [
                    (left, py + dy, Anchor::End),
                    (right, py + dy, Anchor::Start),
                    (px + 14.0, py + dy, Anchor::Start),
                    (px - 14.0, py + dy, Anchor::End),
                ]
            });
            let places: Vec<_> = beside.into_iter().chain(apart).collect();
            let area = |&(x, y, anchor): &(f64, f64, Anchor)| {
                let left = match anchor {
                    Anchor::Start => x,
                    Anchor::Middle => x - width / 2.0,
                    Anchor::End => x - width,
                };
                [left - 3.0, y - 11.0, left + width + 3.0, y + 3.0]
            };
            let free = |place: &&(f64, f64, Anchor)| {
                let [left, top, right, low] = area(place);
                let inside = left > LEFT && right < WIDTH && top > TOP && low < bottom;
                let clear = |t: &[f64; 4]| left > t[2] || right < t[0] || top > t[3] || low < t[1];
                inside && taken.iter().all(clear)
            };
            let place = places.iter().find(free).unwrap_or(&places[0]);
            taken.push(area(place));
            let &(lx, ly, anchor) = place;
            if (ly - py).abs() > 22.0 {
                let edge = if ly < py { ly + 3.0 } else { ly - 11.0 };
                chart.leader((px, py), (lx, edge));
            }
            chart.dot(px, py, point.color);
            if point.ours {
                chart.bold_text(lx, ly, anchor, point.name);
            } else {
                chart.text(lx, ly, anchor, point.name);
            }
        }
        chart.finish()
    }
}
