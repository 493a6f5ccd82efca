// Texts of the waveforms and players, in the language of ComfyUI's page.

import { app } from "../../../scripts/app.js";

/** @type {Record<string, Record<string, string>>} */
const MESSAGES = {
  en: {
    empty: "Wire a recording, or run once",
    cannotDecode: "This browser cannot decode the recording",
    cannotPlay: "This browser cannot play it",
    mask: "The mask sets the region",
    playSelection: "Play the selection (Space)",
    snap: "Snap to",
    free: "free",
    beat: "beat",
    bar: "bar",
    start: "start",
    whole: "all of it",
    end: "end",
    region: "Region: arrows move, up and down choose what, Shift goes further, Space plays",
    play: "Play or stop (Space)",
    take: "Take",
    takes: "Takes: arrows seek, 1 to 9 choose, Space plays; all are equally loud",
    saved: "The song appears here after a run",
    previewStep: "step {step} of {steps}: {start}–{end}",
    playPreview: "Play the song as it is now; newer previews follow until you stop (Space)",
  },
  zh: {
    empty: "请连接一段录音，或先运行一次",
    cannotDecode: "浏览器无法读取此录音",
    cannotPlay: "浏览器无法播放",
    mask: "范围由遮罩决定",
    playSelection: "试听选区（空格）",
    snap: "吸附到",
    free: "自由",
    beat: "拍",
    bar: "小节",
    start: "起点",
    whole: "整个选区",
    end: "终点",
    region: "选区：左右键移动，上下键选择起点、终点或整个选区，Shift 加大步幅，空格试听",
    play: "播放或停止（空格）",
    take: "版本",
    takes: "各版本：左右键定位，数字键 1–9 切换，空格播放；响度已对齐",
    saved: "运行后歌曲会显示在这里",
    previewStep: "第 {step} 步，共 {steps} 步：{start}–{end}",
    playPreview: "试听目前的歌曲；之后的会接着播放，直到停止（空格）",
  },
  ja: {
    empty: "録音を接続するか、一度実行してください",
    cannotDecode: "このブラウザーでは録音を読み込めません",
    cannotPlay: "このブラウザーでは再生できません",
    mask: "範囲はマスクで決まります",
    playSelection: "選択範囲を試聴（スペース）",
    snap: "スナップ",
    free: "なし",
    beat: "拍",
    bar: "小節",
    start: "始点",
    whole: "範囲全体",
    end: "終点",
    region: "範囲：左右キーで移動、上下キーで対象を選択、Shift で大きく移動、スペースで試聴",
    play: "再生／停止（スペース）",
    take: "テイク",
    takes: "テイク：左右キーで移動、1～9 で切り替え、スペースで再生（音量は揃えてあります）",
    saved: "実行すると、ここに曲が表示されます",
    previewStep: "ステップ {step}／{steps}：{start}～{end}",
    playPreview: "今の段階の曲を試聴。停止するまで新しいものも続けて再生（スペース）",
  },
};

/** @returns {string} that of the page where we speak it, else English */
export function pageLanguage() {
  const [language] = String(app.extensionManager?.setting?.get("Comfy.Locale") ?? "en").split("-");
  return language in MESSAGES ? language : "en";
}

/**
 * @param {string} name
 * @param {Record<string, string | number>} [values] what stands in the braces
 * @returns {string}
 */
export function translate(name, values = {}) {
  const message = MESSAGES[pageLanguage()][name] ?? MESSAGES.en[name] ?? name;
  return message.replace(/\{(\w+)\}/g, (all, key) => String(values[key] ?? all));
}
