(() => {
  "use strict";
  const root = document.documentElement;
  const data = JSON.parse(document.getElementById("graph-data").textContent);
  const box = document.getElementById("graph");
  const picked = document.getElementById("picked");
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  const variable = (name) => getComputedStyle(root).getPropertyValue(name).trim();

  const colourOf = (node) => variable(`--k${node.colour < 0 ? "x" : node.colour}`);

  // A tint that hides the lines under it, which a see-through colour would not.
  const channels = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  const tint = (hex) => {
    const ground = channels(variable("--paper"));
    return `rgb(${channels(hex).map((c, i) => Math.round(0.3 * c + 0.7 * ground[i])).join(",")})`;
  };

  // Everything but the chosen node and its neighbours steps back.
  const dressNode = (node, faint) => ({
    id: node.id, label: node.label, title: node.title, shape: node.shape,
    x: node.x, y: node.y, size: node.size, fixed: false,
    borderWidth: node.dashed ? 2 : 1.5,
    shapeProperties: { borderDashes: node.dashed ? [5, 4] : false },
    opacity: faint ? 0.12 : 1,
    color: {
      background: node.pale ? tint(colourOf(node)) : colourOf(node), border: node.dashed ? variable("--ink") : node.pale ? colourOf(node) : variable("--paper"),
      highlight: { background: node.pale ? tint(colourOf(node)) : colourOf(node), border: variable("--ink") },
      hover: { background: node.pale ? tint(colourOf(node)) : colourOf(node), border: variable("--ink") },
    },
    font: {
      size: node.fontSize, face: variable("--face"), color: variable(faint ? "--line" : "--ink"),
      strokeWidth: 4, strokeColor: variable("--paper"), vadjust: -2,
    },
  });
  const dressEdge = (edge, faint) => ({
    id: edge.id, from: edge.from, to: edge.to, width: edge.width, dashes: edge.dashes ? [5, 4] : false,
    title: edge.title || undefined, smooth: false,
    arrows: edge.arrows ? { to: { enabled: true, scaleFactor: 0.35 } } : undefined,
    color: { color: variable(edge.across ? "--edge-across" : "--edge"), opacity: faint ? 0.15 : 1,
             highlight: variable("--ink"), hover: variable("--ink") },
  });

  data.edges.forEach((edge, i) => { edge.id = i; });
  const byId = new Map(data.nodes.map((node) => [node.id, node]));
  const nodes = new vis.DataSet(data.nodes.map((node) => dressNode(node, false)));
  const edges = new vis.DataSet(data.edges.map((edge) => dressEdge(edge, false)));
  const network = new vis.Network(box, { nodes, edges }, {
    physics: false, layout: { improvedLayout: false },
    nodes: { chosen: false }, edges: { chosen: false, selectionWidth: 0, hoverWidth: 0 },
    interaction: { hover: true, tooltipDelay: 80, zoomView: false, dragNodes: false,
                   keyboard: { enabled: true, bindToWindow: false }, multiselect: false },
  });

  network.on("beforeDrawing", (context) => {
    context.strokeStyle = variable("--line");
    context.lineWidth = 1;
    for (const [wide, tall] of data.circles) {
      context.beginPath();
      context.ellipse(0, 0, wide, tall, 0, 0, 2 * Math.PI);
      context.stroke();
    }
  });
  network.once("afterDrawing", () => { root.dataset.drawn = "yes"; });
  network.fit({ animation: false });

  const show = (id) => {
    const near = id === null ? null : new Set([id, ...network.getConnectedNodes(id)]);
    nodes.update(data.nodes.map((node) => dressNode(node, near !== null && !near.has(node.id))));
    edges.update(data.edges.map((edge) => dressEdge(edge, id !== null && edge.from !== id && edge.to !== id)));
    picked.replaceChildren();
    if (id === null) { return; }
    const node = byId.get(id);
    const text = document.createElement("span");
    text.textContent = node.title;
    picked.append(text);
    if (node.page) {
      const link = document.createElement("a");
      link.href = node.page;
      link.textContent = "open its page";
      picked.append(" ", link);
    }
  };
  network.on("click", (event) => show(event.nodes.length ? event.nodes[0] : null));
  network.on("doubleClick", (event) => {
    const node = event.nodes.length ? byId.get(event.nodes[0]) : undefined;
    if (node && node.page) { location.href = node.page; }
  });

  // The wheel scrolls the page until the picture has been clicked.
  box.addEventListener("pointerdown", () => network.setOptions({ interaction: { zoomView: true } }));
  box.addEventListener("pointerleave", () => network.setOptions({ interaction: { zoomView: false } }));
  const zoom = (factor) => network.moveTo({ scale: network.getScale() * factor });
  document.getElementById("zoom-in").addEventListener("click", () => zoom(1.4));
  document.getElementById("zoom-out").addEventListener("click", () => zoom(1 / 1.4));
  document.getElementById("zoom-fit").addEventListener("click", () => { show(null); network.fit(); });
  addEventListener("resize", () => network.fit());
  scheme.addEventListener("change", () => show(null));
  window.kindred = { network, nodes: data.nodes };
})();
