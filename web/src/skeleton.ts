// A neuron in 3D: one cylinder per edge, colored by compartment, with a scale bar.

import {
  AmbientLight, Box3, Color, CylinderGeometry, DirectionalLight, InstancedMesh, Matrix4, MeshLambertMaterial,
  OrthographicCamera, Quaternion, Scene, SphereGeometry, Vector3, WebGLRenderer,
} from "three";
import { OrbitControls } from "three/addons/controls/OrbitControls.js";
import { element, reducedMotion } from "./dom";

/** Names and colors of the mask classes, as in axonet.morphology.compartments. */
export const COMPARTMENTS: [string, string][] = [
  ["background", "#000000"], ["soma", "#f0e442"], ["axon", "#56b4e9"], ["basal dendrite", "#d55e00"],
  ["apical dendrite", "#aa4499"], ["other", "#969696"],
];
const HEADER = 28, SOMA = 1;

export interface Skeleton {
  n: number;
  xyz: Float32Array;
  radius: Float32Array;
  parent: Int32Array;
  compartment: Uint8Array;
  extent: number;
  tolerance: number;
}

export function readSkeleton(buffer: ArrayBuffer): Skeleton {
  const view = new DataView(buffer);
  if (view.getUint32(0, false) !== 0x4158534b) throw new Error("not a skeleton");
  const n = view.getUint32(4, true);
  const origin = [8, 12, 16].map((at) => view.getFloat32(at, true));
  const extent = view.getFloat32(20, true);
  const steps = new Uint16Array(buffer, HEADER + 4 * n, 3 * n);
  const radii = new Uint16Array(buffer, HEADER + 10 * n, n);
  return {
    n,
    xyz: Float32Array.from(steps, (step, k) => origin[k % 3]! + (step / 65535) * extent),
    radius: Float32Array.from(radii, (step) => step * 0.01),
    parent: new Int32Array(buffer, HEADER, n),
    compartment: new Uint8Array(buffer, HEADER + 12 * n, n),
    extent,
    tolerance: view.getFloat32(24, true),
  };
}

/** 1, 2 or 5 times a power of ten, at most a third of a width. */
export function barLength(width: number): number {
  const power = 10 ** Math.floor(Math.log10(width / 3));
  return power * [5, 2, 1].find((step) => step * power <= width / 3 + 1e-9)!;
}

export function lengthText(um: number): string {
  return um >= 1000 ? `${um / 1000} mm` : um >= 1 ? `${um} µm` : `${Math.round(um * 1000)} nm`;
}

export class SkeletonView {
  readonly root = element("div", { class: "skeleton" });
  private readonly bar = element("div", { class: "bar" });
  private readonly pause = element("button", { type: "button", click: () => this.turn(!this.turning) });
  private readonly scene = new Scene();
  private readonly camera = new OrthographicCamera(-1, 1, 1, -1, -10, 10);
  private renderer: WebGLRenderer | null = null;
  private controls: OrbitControls | null = null;
  private turning = false;
  private asked = false;
  private extent = 1;

  constructor() {
    try {
      this.renderer = new WebGLRenderer({ alpha: true, antialias: true, preserveDrawingBuffer: true });
    } catch {
      this.root.append(element("p", { class: "quiet" }, "This browser has no WebGL, so there is no 3D view."));
      return;
    }
    const canvas = this.renderer.domElement;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", "The neuron in 3D; drag to turn, wheel to zoom");
    this.root.append(canvas, this.bar, this.pause);
    this.controls = new OrbitControls(this.camera, canvas);
    this.controls.autoRotateSpeed = 3;
    this.controls.addEventListener("change", () => this.ask());
    this.controls.addEventListener("start", () => this.turn(false));
    const lamp = new DirectionalLight(0xffffff, 2.2);
    lamp.position.set(0.4, 0.7, 1);
    this.camera.add(lamp);
    this.scene.add(this.camera, new AmbientLight(0xffffff, 1.4));
    new ResizeObserver(() => this.resize()).observe(this.root);
  }

  show(skeleton: Skeleton): void {
    if (!this.renderer) return;
    for (const child of [...this.scene.children]) {
      if (child instanceof InstancedMesh) {
        this.scene.remove(child);
        child.geometry.dispose();
        child.dispose();
      }
    }
    const box = new Box3();
    for (let k = 0; k < skeleton.n; k++) box.expandByPoint(point(skeleton, k));
    const middle = box.getCenter(new Vector3());
    this.extent = Math.max(skeleton.extent, box.getSize(new Vector3()).length() * 0.8, 1e-6);
    const unit = 2 / this.extent;
    const move = new Matrix4().makeScale(unit, unit, unit).multiply(new Matrix4().makeTranslation(middle.negate()));
    this.scene.add(edges(skeleton, move), somata(skeleton, move));
    this.controls!.reset();
    this.camera.position.set(0, 0, 3);
    this.controls!.update();
    this.turn(!reducedMotion());
    this.resize();
  }

  private turn(on: boolean): void {
    this.turning = on;
    this.pause.textContent = on ? "Pause" : "Turn";
    if (this.controls) this.controls.autoRotate = on;
    this.ask();
  }

  private resize(): void {
    const { clientWidth: width, clientHeight: height } = this.root;
    if (!this.renderer || !width || !height) return;
    this.renderer.setPixelRatio(Math.min(devicePixelRatio, 2));
    this.renderer.setSize(width, height, false);
    const wide = width / height;
    [this.camera.left, this.camera.right] = wide > 1 ? [-1.1 * wide, 1.1 * wide] : [-1.1, 1.1];
    [this.camera.top, this.camera.bottom] = wide > 1 ? [1.1, -1.1] : [1.1 / wide, -1.1 / wide];
    this.camera.updateProjectionMatrix();
    this.ask();
  }

  /** Draw once, soon; again as long as it turns and can be seen. */
  private ask(): void {
    if (this.asked || !this.renderer) return;
    this.asked = true;
    requestAnimationFrame(() => {
      this.asked = false;
      if (!this.root.isConnected) return;
      this.controls!.update();
      this.renderer!.render(this.scene, this.camera);
      const umWide = ((this.camera.right - this.camera.left) / this.camera.zoom / 2) * this.extent;
      const length = barLength(umWide);
      this.bar.style.width = `${(100 * length) / umWide}%`;
      this.bar.textContent = lengthText(length);
      this.root.dataset.drawn = "true";
      if (this.turning) this.ask();
    });
  }
}

function point(skeleton: Skeleton, row: number): Vector3 {
  return new Vector3().fromArray(skeleton.xyz, 3 * row);
}

function edges(skeleton: Skeleton, move: Matrix4): InstancedMesh {
  const rows = Array.from({ length: skeleton.n }, (_, k) => k).filter((k) => skeleton.parent[k]! >= 0);
  const mesh = new InstancedMesh(new CylinderGeometry(1, 1, 1, 6, 1, false), new MeshLambertMaterial(), rows.length);
  const thin = skeleton.extent * 0.0016; // thinner cable would not be seen
  const up = new Vector3(0, 1, 0), turn = new Quaternion();
  rows.forEach((row, k) => {
    const end = point(skeleton, row), start = point(skeleton, skeleton.parent[row]!);
    const along = end.clone().sub(start), length = along.length();
    const radius = Math.max(skeleton.compartment[row] === SOMA ? thin : skeleton.radius[row]!, thin);
    turn.setFromUnitVectors(up, length > 0 ? along.divideScalar(length) : up);
    const place = new Matrix4().compose(start.add(end).multiplyScalar(0.5), turn, new Vector3(radius, Math.max(length, 1e-6), radius));
    mesh.setMatrixAt(k, move.clone().multiply(place));
    mesh.setColorAt(k, new Color(COMPARTMENTS[skeleton.compartment[row]!]![1]));
  });
  mesh.frustumCulled = false;
  return mesh;
}

function somata(skeleton: Skeleton, move: Matrix4): InstancedMesh {
  const every = Array.from({ length: skeleton.n }, (_, k) => k).filter((k) => skeleton.compartment[k] === SOMA);
  // Three points of which two hang off the first are NeuroMorpho.Org's way to write one sphere.
  const isSphere = every.length === 3 && every.slice(1).every((k) => skeleton.parent[k] === every[0]);
  const rows = isSphere ? every.slice(0, 1) : every;
  const mesh = new InstancedMesh(new SphereGeometry(1, 20, 14), new MeshLambertMaterial(), rows.length);
  rows.forEach((row, k) => {
    const radius = Math.max(skeleton.radius[row]!, skeleton.extent * 0.004);
    const place = new Matrix4().compose(point(skeleton, row), new Quaternion(), new Vector3(radius, radius, radius));
    mesh.setMatrixAt(k, move.clone().multiply(place));
    mesh.setColorAt(k, new Color(COMPARTMENTS[SOMA]![1]));
  });
  mesh.frustumCulled = false;
  return mesh;
}
