/** Charts beside the tables they are drawn from: the table is the truth, the chart a look at it. */
const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function series(table) {
  return [...table.querySelectorAll("thead th")]
    .map((head, column) => ({ head, column }))
    .filter(({ head }) => head.hasAttribute("data-series"))
    .map(({ head, column }) => ({
      name: head.textContent,
      values: [...table.querySelectorAll("tbody tr")].map((row) => Number(row.children[column]?.textContent || 0)),
    }));
}

function options(kind, labels, drawn) {
  const ink = style("--ink");
  const soft = style("--ink-soft");
  const line = style("--line");
  const colours = [style("--brand"), style("--light-yellow")];
  const size = parseFloat(getComputedStyle(document.documentElement).fontSize) * (document.documentElement.hasAttribute("data-elder") ? 1.125 : 0.875);
  const text = { color: soft, fontSize: size };
  const names = { type: "category", data: labels, axisLabel: text, axisLine: { lineStyle: { color: line } }, axisTick: { show: false } };
  const counts = { type: "value", minInterval: 1, axisLabel: text, splitLine: { lineStyle: { color: line } } };
  const flat = kind === "bar";
  return {
    animation: false,
    color: colours,
    textStyle: { color: ink, fontFamily: getComputedStyle(document.body).fontFamily },
    grid: { left: 8, right: 16, top: drawn.length > 1 ? 40 : 12, bottom: 8, containLabel: true },
    // Rich text is drawn on the canvas: the page's security policy takes no styles from scripts' markup.
    tooltip: { trigger: "axis", renderMode: "richText", confine: true },
    legend: drawn.length > 1 ? { textStyle: { color: ink, fontSize: size }, top: 0 } : undefined,
    xAxis: flat ? counts : names,
    yAxis: flat ? { ...names, inverse: true } : counts,
    series: drawn.map(({ name, values }, number) => ({
      name,
      data: values,
      type: kind,
      symbol: number ? "triangle" : "circle",
      symbolSize: 7,
      lineStyle: { type: number ? "dashed" : "solid", width: 2 },
      barMaxWidth: 22,
    })),
  };
}

function draw() {
  for (const figure of document.querySelectorAll("figure[data-chart]")) {
    const place = figure.querySelector(".chart");
    const table = figure.querySelector("table");
    const labels = [...table.querySelectorAll("tbody th")].map((head) => head.textContent.trim());
    const drawn = series(table);
    place.hidden = !labels.length || !globalThis.echarts;
    if (place.hidden) continue;
    const chart = echarts.getInstanceByDom(place) || echarts.init(place);
    chart.setOption(options(figure.dataset.chart, labels, drawn), true);
    chart.resize();
  }
}

function forget() {
  for (const place of document.querySelectorAll(".chart")) globalThis.echarts?.getInstanceByDom(place)?.dispose();
}

draw();
document.addEventListener("htmx:beforeSwap", forget);
document.addEventListener("htmx:afterSettle", draw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
addEventListener("resize", draw);
